"""`accounting checkpoint`: what the journals were, signed, to hold a restored backup against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accounting.cli.desk import at_desk
from accounting.cli.exits import ExitCode, Refused
from accounting.cli.options import Database, Json

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Signed checkpoints of the journals.")

_PROBLEMS_SHOWN = 100

File = Annotated[Path, typer.Argument(metavar="FILE", help="The checkpoint.")]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Refused(f"{path} cannot be read: {reason}") from None


@app.command("export")
def export(
    file: File,
    key: Annotated[
        Path,
        typer.Option("--key", metavar="FILE", help="A private Ed25519 key as PEM, no password."),
    ],
    database: Database = None,
    json: Json = False,
) -> None:
    """Write a checkpoint of the journals, as they are now, into a new file.

    Make the key once with `openssl genpkey -algorithm ed25519`, and keep it
    and the checkpoints away from the database.
    """
    with at_desk(database, json) as desk:
        with desk.out.progress("Reading the journals"):
            text = desk.books.checkpoint(_read(key))
        try:
            with file.open("x", encoding="utf-8") as target:
                target.write(text)
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}") from None
        accounts = text.count("\n") - 2
        if desk.out.as_json:
            desk.out.json({"file": str(file), "accounts": accounts})
        else:
            desk.out.line(f"Wrote a checkpoint of {accounts:,} accounts into {file}.")


@app.command("verify")
def verify(
    file: File,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The public key as PEM.")],
    database: Database = None,
    json: Json = False,
) -> None:
    """Hold the books, say a restored backup, against a checkpoint.

    Ends with 4 where a journal entry that it covers is missing or changed.
    Run `accounting doctor` besides: it proves that the books balance.
    """
    with at_desk(database, json) as desk:
        text, public_key = _read(file), _read(key)
        with desk.out.progress("Comparing the journals"):
            report = desk.interruptible(lambda: desk.books.verify_checkpoint(text, public_key))
        if desk.out.as_json:
            desk.out.json(report)
        elif report.ok:
            desk.out.line(
                f"The books hold all {report.entries:,} journal entries of the checkpoint "
                f"of {report.created_at:%Y-%m-%d %H:%M:%S} UTC."
            )
        else:
            desk.out.table(
                f"Problems: {len(report.problems):,}",
                ("user", "detail"),
                [(p.user_id, p.detail) for p in report.problems[:_PROBLEMS_SHOWN]],
            )
        if not report.ok:
            desk.out.error(
                f"the books are not those of the checkpoint: {len(report.problems):,} problem(s)",
                "unbalanced",
            )
            raise typer.Exit(ExitCode.UNBALANCED)
