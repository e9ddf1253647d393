"""`accounting usage …`: what was used, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from accounting.cli.desk import Desk, at_desk
from accounting.cli.options import Database, Json, Since, Until, period
from accounting.cli.output import Cell, instant, now
from accounting.cli.usage_export import export
from accounting.report.numbers import ranked, share
from accounting.values import SystemStats, UserStats

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Usage: statistics, and every record for elsewhere.")
app.command("export")(export)


@app.command("stats")
def stats(
    user_id: Annotated[
        str | None, typer.Argument(metavar="[USER_ID]", help="Default: all accounts.")
    ] = None,
    since: Since = None,
    until: Until = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Lines a table; the rest summed.")] = 10,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show use by service, model, day and user; by default of the last 30 days."""
    with at_desk(database, json) as desk:
        start, end = period(since, until, now())
        usage = desk.books.usage
        found: UserStats | SystemStats
        if user_id is None:
            found = usage.system_stats(start, end)
        else:
            found = usage.user_stats(user_id, start, end)
        if desk.out.as_json:
            desk.out.json({"start": start, "end": end, **found.to_dict()})
            return
        desk.out.line(
            (f"{found.total_credits:,} credits", "bold"),
            f", {found.total_records:,} usage record(s), {instant(start)} to {instant(end)} UTC",
            f", by {user_id}" if user_id is not None else "",
        )
        total = found.total_credits
        _ranking(desk, "By service", "service", found.by_service, total, top)
        _ranking(desk, "By model", "model", found.by_model, total, top)
        if isinstance(found, SystemStats):
            _ranking(desk, "By user", "user", found.by_user, total, top)
        desk.out.table(
            "By day (UTC)",
            ("=day", ">credits", "="),
            [(day, n, _bar(n, max(found.by_day.values()))) for day, n in sorted(_days(found))],
        )
        if isinstance(found, UserStats):
            desk.out.table(
                "Newest",
                (">record", "=time (UTC)", "service", "operation", ">credits", ">collected"),
                [
                    (r.id, r.timestamp, r.service, r.operation, r.credits, r.collected_credits)
                    for r in found.recent_activity
                ],
            )


def _days(found: UserStats | SystemStats) -> list[tuple[str, int]]:
    return list(found.by_day.items())


def _ranking(
    desk: Desk, title: str, heading: str, credits: Mapping[str, int], total: int, top: int
) -> None:
    """The largest first, those beyond `top` in one line, and the sum below."""
    largest, others, rest = ranked(credits, top)
    rows: list[tuple[Cell, ...]] = [(name, n, share(n, total)) for name, n in largest]
    if others:
        rows.append((f"{others:,} more", rest, share(rest, total)))
    every = sum(credits.values())
    footer = ("all", every, share(every, total))
    desk.out.table(title, (heading, ">credits", ">share of all use"), rows, footer=footer)


def _bar(part: int, whole: int) -> str:
    return "█" * (part * 30 // whole if whole else 0) or "▏"
