"""`accounting usage export`: every usage record, page by page, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import enum
import functools
import json as json_text
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from accounting.books import Accounting
from accounting.cli.desk import at_desk
from accounting.cli.exits import Refused
from accounting.cli.options import Database, Json, Since, Until, optional_moment
from accounting.cli.output import Step, answering
from accounting.paging import onward
from accounting.values import UsageRecord

__all__ = ["export", "written"]

_COLUMNS = (
    "user_id",
    "id",
    "timestamp",
    "service",
    "operation",
    "credits",
    "collected_credits",
    "metadata",
)


class Format(str, enum.Enum):
    """What is written."""

    CSV = "csv"
    JSONL = "jsonl"


def export(
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", "-f", help="csv, the default, has a header; jsonl is an object a line."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Default: stdout. Whole or not at all."
        ),
    ] = None,
    user_id: Annotated[
        str | None, typer.Option("--user", metavar="USER_ID", help="Default: all accounts.")
    ] = None,
    since: Since = None,
    until: Until = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Write all usage records, by user and then oldest first.

    Instants are ISO 8601 in UTC, metadata is JSON. Reads page by page, so any
    number of records fits; --json is the same as --format jsonl.
    """
    with at_desk(database, json) as desk:
        start = optional_moment(since, "--from")
        end = optional_moment(until, "--to")
        if format_ is Format.CSV and desk.out.as_json:
            raise Refused("--format csv and --json: expected one of them")
        as_lines = format_ is Format.JSONL or desk.out.as_json
        # Answered before the file is touched: a wrong user or range leaves nothing behind.
        users, total = _extent(desk.books, user_id, start, end)
        with (
            # A bar in the midst of records on the same screen would spoil both.
            desk.out.progress(
                "Exporting records", total, hidden=output is None and sys.stdout.isatty()
            ) as step,
            written(output) as stream,
        ):
            records = _records(desk.books, users, start, end)
            count = (_write_lines if as_lines else _write_csv)(records, stream, step)
        if output is not None:
            desk.out.note(f"{count:,} records written to {output}")


def _write_lines(records: Iterable[UsageRecord], stream: TextIO, step: Step) -> int:
    """Answers how many there were."""
    count = 0
    for record in records:
        stream.write(json_text.dumps(record.to_dict()) + "\n")
        count += 1
        step.advance()
    return count


def _write_csv(records: Iterable[UsageRecord], stream: TextIO, step: Step) -> int:
    """Answers how many there were."""
    count = 0
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    for record in records:
        fields = record.to_dict()
        metadata = fields["metadata"]
        fields["metadata"] = "" if metadata is None else json_text.dumps(metadata)
        table.writerow([fields[name] for name in _COLUMNS])
        count += 1
        step.advance()
    return count


def _extent(
    books: Accounting, user_id: str | None, start: datetime | None, end: datetime | None
) -> tuple[list[str], int]:
    """Who has records in the range, and how many there are."""
    if user_id is not None:
        return [user_id], books.usage.user_stats(user_id, start, end).total_records
    stats = books.usage.system_stats(start, end)
    return sorted(stats.by_user), stats.total_records


def _records(
    books: Accounting, users: list[str], start: datetime | None, end: datetime | None
) -> Iterator[UsageRecord]:
    for user_id in users:
        fetch = functools.partial(books.usage.list, user_id, start, end)
        yield from onward(fetch, lambda record: record.id)


@contextmanager
def written(path: Path | None) -> Iterator[TextIO]:
    """A stream into a file that appears when all is written, or stdout.

    A failure half-way leaves the file that was there, if one was.
    """
    if path is None:
        with answering():
            yield sys.stdout
        return
    if path.exists() and not path.is_file():
        # A pipe or a device: what a name cannot be moved onto.
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    path = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        # mkstemp lets nobody else read; the file is to be as one that was simply opened.
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
