"""`accounting report`: one HTML page for people who pay, not for people who program."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from accounting.cli.desk import at_desk
from accounting.cli.options import Database, Json, Since, Until, period
from accounting.cli.output import now
from accounting.cli.usage_export import written
from accounting.report import gather, page

__all__ = ["report"]


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the page goes.")
    ],
    since: Since = None,
    until: Until = None,
    title: Annotated[
        str, typer.Option("--title", help="The page's heading.")
    ] = "Credits and usage",
    expiring_days: Annotated[
        int,
        typer.Option("--expiring-days", min=1, max=3_660, help="What ends within so many days."),
    ] = 30,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Write a page of charts: credits allocated, used and expiring, use by day, model and user.

    By default of the last 30 days. One file that needs no network; --json
    prints its numbers too.
    """
    with at_desk(database, json) as desk:
        at = now()
        start, end = period(since, until, at)
        with desk.out.progress("Reading accounts") as step:
            books = desk.books
            figures = desk.interruptible(
                lambda: gather(
                    books,
                    start,
                    end,
                    at=at,
                    expiring_days=expiring_days,
                    total=step.total,
                    advance=step.advance,
                )
            )
        with written(output) as stream:
            stream.write(page(figures, title))
        if desk.out.as_json:
            desk.out.json({"output": str(output), **figures.to_dict()})
        else:
            desk.out.note(f"{output}: {figures.stats.total_credits:,} credits used")
        if show:
            webbrowser.open(output.resolve().as_uri())
