"""The root of the command: its groups, and the options that stand before them."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from typing import Annotated

import typer

from accounting.cli import (
    accounts,
    checkpoint,
    credits,
    keys,
    pricing,
    schema,
    sessions,
    tokens,
    usage,
)
from accounting.cli.audit import audit
from accounting.cli.desk import root_options
from accounting.cli.exits import EXIT_CODES_HELP
from accounting.cli.options import Database, Json
from accounting.cli.report import report

__all__ = ["app", "main"]

app = typer.Typer(
    name="accounting",
    no_args_is_help=True,
    # A traceback with local variables could show what a database URL holds.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES_HELP,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"accounting {importlib.metadata.version('accounting')}")
        raise typer.Exit


@app.callback()
def root(
    database: Database = None,
    json: Json = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None:
    """Prepaid credits for AI services: the books from a terminal.

    Name the database once, in ACCOUNTING_DATABASE_URL, or each time with
    --database. With --json, stdout is JSON alone. With --dry-run, nothing
    changes.
    """
    root_options.set((database, json))


app.command("init")(schema.init)
app.command("migrate")(schema.migrate)
app.command("status")(schema.status)
app.command("doctor")(schema.doctor)
app.add_typer(accounts.app, name="accounts")
app.add_typer(credits.app, name="credits")
app.add_typer(pricing.app, name="pricing")
app.add_typer(sessions.app, name="sessions")
app.add_typer(usage.app, name="usage")
app.add_typer(keys.app, name="keys")
app.add_typer(tokens.app, name="token")
app.add_typer(checkpoint.app, name="checkpoint")
app.command("audit")(audit)
app.command("report")(report)


def main() -> None:
    """The entry point of the installed command."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Closed by the caller: what is said goes nowhere, and nobody answers. A file that is
            # opened later must not take its number either, or what is said would go into that.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    app(prog_name="accounting")
