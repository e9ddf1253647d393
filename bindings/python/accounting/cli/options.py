"""Options that many commands share, and the forms of dates and numbers that they take."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated

import typer

from accounting.cli.exits import Refused

__all__ = [
    "Actor",
    "CreatedBy",
    "Database",
    "DryRun",
    "Json",
    "Key",
    "Limit",
    "PageNumber",
    "Since",
    "Until",
    "UserId",
    "Yes",
    "moment",
    "optional_moment",
    "period",
    "whole_number",
]

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="URL",
        help="sqlite:///relative.db, sqlite:////absolute.db or postgresql://user@host/name. "
        "Default: ACCOUNTING_DATABASE_URL, which keeps a password out of the list of processes.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="JSON alone on stdout; messages stay on stderr.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show what would happen and change nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
UserId = Annotated[str, typer.Argument(metavar="USER_ID", help="Whose account.")]
Actor = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who does it, for the books. Default: your login."),
]
CreatedBy = Annotated[
    str | None,
    typer.Option("--created-by", "--by", metavar="NAME", help="Who sets it. Default: your login."),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="Makes the command safe to repeat: the same key again changes nothing.",
    ),
]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which page, from 1.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Lines at most.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="WHEN", help="Not before it: 2026-11-01 (UTC) or 2026-11-01T08:00+01:00."
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="WHEN", help="Before it: the day named is not included."),
]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# The first instant that the books know.
_FIRST = datetime(1970, 1, 1, tzinfo=timezone.utc)
# How far back a period without a beginning goes.
_DAYS = 30
_NUMBER = re.compile(r"\d+")


def moment(text: str, name: str) -> datetime:
    """The instant that a person wrote: a date is its first moment in UTC.

    Args:
        text: a date, or a date and time with its offset from UTC.
        name: what it is for, to say where it is wrong.

    >>> moment("2026-11-01T08:00Z", "--from")
    datetime.datetime(2026, 11, 1, 8, 0, tzinfo=datetime.timezone.utc)
    """
    expected = "a date such as 2026-11-01, or a time with its offset such as 2026-11-01T08:00Z"
    written = text.strip()
    try:
        # Python 3.10 reads an offset but not the Z.
        value = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", written))
        if value.tzinfo is None:
            if not _DATE.fullmatch(written):
                raise Refused(f"{name}: expected {expected}; {text!r} has no offset from UTC")
            return value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise Refused(f"{name}: expected {expected}, not {text!r}") from None


def optional_moment(text: str | None, name: str) -> datetime | None:
    """As `moment`; None stays None."""
    return None if text is None else moment(text, name)


def period(since: str | None, until: str | None, at: datetime) -> tuple[datetime, datetime]:
    """The range of time that was asked for; by default the last 30 days, today included."""
    end = at if until is None else moment(until, "--to")
    if since is not None:
        start = moment(since, "--from")
    else:
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        back = timedelta(days=_DAYS - 1 if end != midnight else _DAYS)
        start = max(midnight, _FIRST + back) - back
    if start > end:
        raise Refused("--from: expected a time not after --to")
    return start, end


def whole_number(text: str) -> int | None:
    """The number where the text is digits alone; None otherwise, so that a slip is never read.

    >>> whole_number("1000"), whole_number("1e3"), whole_number("1,000")
    (1000, None, None)
    """
    return int(text) if len(text) <= 18 and text.isascii() and _NUMBER.fullmatch(text) else None
