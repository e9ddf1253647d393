"""Files of allocations: reading one, and naming every line that cannot be used."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import datetime

from accounting.cli.exits import Refused
from accounting.cli.options import moment, whole_number
from accounting.limits import LARGEST_CREDITS, LARGEST_DAYS, LONGEST_NAME, LONGEST_NOTES

__all__ = ["AllocationFile", "Row", "read_allocations"]

_COLUMNS = ("user_id", "credits", "expiry_days", "expires_at", "never_expires", "notes")
_REQUIRED = ("user_id", "credits")
_YES = {"true", "yes", "1"}
_NO = {"", "false", "no", "0"}

# As many as anybody reads; the count says how many there are.
_BAD_LINES_SHOWN = 100


@dataclasses.dataclass(frozen=True)
class Row:
    """One allocation of a file.

    Attributes:
        line: where it begins in the file, from 1.
        user_id: who gets them.
        credits: how many.
        expiry_days: as in the file; likewise the rest.
    """

    line: int
    user_id: str
    credits: int
    expiry_days: int | None
    expires_at: datetime | None
    never_expires: bool
    notes: str

    def request(self, allocated_by: str, key: str) -> dict[str, object]:
        """As `allocate_many` takes it."""
        return {
            "user_id": self.user_id,
            "credits": self.credits,
            "allocated_by": allocated_by,
            "expiry_days": self.expiry_days,
            "expires_at": self.expires_at,
            "never_expires": self.never_expires,
            "notes": self.notes,
            "idempotency_key": key,
        }


@dataclasses.dataclass(frozen=True)
class AllocationFile:
    """What a file asks for.

    Attributes:
        rows: in its order.
        bad: a sentence for each line that cannot be used, by its number.
    """

    rows: tuple[Row, ...]
    bad: dict[int, str]

    def keys(self, batch: str | None = None) -> list[str]:
        """The idempotency keys of the rows: `csv:<digest of all rows>:<row>`.

        The digest is over what the rows say, so saving the file again with another line ending,
        quoting or order of columns changes nothing; any change of what is asked for does.

        Args:
            batch: enters the digest, so that the same rows may be asked for again.

        >>> file = AllocationFile((Row(2, "ada", 5, None, None, False, ""),), {})
        >>> file.keys() == file.keys(), file.keys("2026-11") == file.keys("2026-12")
        (True, False)
        """
        told = [
            [
                row.user_id,
                row.credits,
                row.expiry_days,
                None if row.expires_at is None else row.expires_at.isoformat(),
                row.never_expires,
                row.notes,
            ]
            for row in self.rows
        ]
        asked = json.dumps(told if batch is None else [batch, told])
        digest = hashlib.sha256(asked.encode()).hexdigest()
        return [f"csv:{digest}:{number}" for number in range(1, len(self.rows) + 1)]

    def with_bad(self, *more: dict[int, str]) -> AllocationFile:
        """The same file with more bad lines; what is known already comes first."""
        bad = dict(self.bad)
        for found in more:
            for line, why in found.items():
                bad[line] = f"{bad[line]}; {why}" if line in bad else why
        return dataclasses.replace(self, bad=bad)

    def refuse_bad_lines(self) -> None:
        """Raise Refused that names every bad line, where there is one."""
        if not self.bad:
            return
        lines = [f"line {line}: {why}" for line, why in sorted(self.bad.items())]
        if len(lines) > _BAD_LINES_SHOWN:
            more = len(lines) - _BAD_LINES_SHOWN
            lines[_BAD_LINES_SHOWN:] = [f"… and {more:,} more lines"]
        raise Refused(
            f"{len(self.bad):,} bad line(s); nothing was allocated",
            code="bad_lines",
            lines=tuple(lines),
        )


def read_allocations(content: bytes) -> AllocationFile:
    """The rows of a CSV file in UTF-8, and what is wrong with the others.

    Raises:
        Refused: it is no such file at all.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(f"line {line}: the file is not UTF-8", code="bad_lines") from None
    records = _records(text)
    _, header = next(records, (1, []))
    names = [name.strip() for name in header]
    missing = [name for name in _REQUIRED if name not in names]
    unknown = [name for name in names if name not in _COLUMNS]
    if missing or unknown or len(set(names)) != len(names):
        raise Refused(
            f"line 1: expected a header of {', '.join(_COLUMNS)} separated by commas, the first "
            f"two at least, each once; found {','.join(names)[:200]!r}",
            code="bad_lines",
        )
    rows: list[Row] = []
    bad: dict[int, str] = {}
    for line, cells in records:
        if len(cells) != len(names):
            bad[line] = f"{len(cells)} fields instead of {len(names)}"
            continue
        try:
            rows.append(_row(line, dict(zip(names, map(str.strip, cells), strict=True))))
        except Refused as error:
            bad[line] = str(error)
    return AllocationFile(tuple(rows), bad)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not empty, each with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(f"line {line}: {error}", code="bad_lines") from None
        if any(cell.strip() for cell in record):
            yield line, record


def _row(line: int, cells: dict[str, str]) -> Row:
    """One row, or Refused with all that is wrong with it."""
    wrong = []
    user_id = cells["user_id"]
    if not 1 <= len(user_id.encode()) <= LONGEST_NAME:
        wrong.append(f"user_id: expected 1 to {LONGEST_NAME} bytes")
    credits = _number("credits", cells["credits"], LARGEST_CREDITS, wrong)
    days_text, end_text = cells.get("expiry_days", ""), cells.get("expires_at", "")
    never_text = cells.get("never_expires", "").lower()
    expiry_days = _number("expiry_days", days_text, LARGEST_DAYS, wrong) if days_text else None
    expires_at = None
    if end_text:
        try:
            expires_at = moment(end_text, "expires_at")
        except Refused as error:
            wrong.append(str(error))
    if never_text not in _YES | _NO:
        wrong.append(f"never_expires: expected true or false, not {never_text!r}")
    if sum((bool(days_text), bool(end_text), never_text in _YES)) > 1:
        wrong.append("expected one of expiry_days, expires_at and never_expires at most")
    notes = cells.get("notes", "")
    if len(notes.encode()) > LONGEST_NOTES:
        wrong.append(f"notes: expected at most {LONGEST_NOTES:,} bytes")
    if wrong or credits is None:
        raise Refused("; ".join(wrong))
    never_expires = never_text in _YES
    return Row(line, user_id, credits, expiry_days, expires_at, never_expires, notes)


def _number(name: str, text: str, largest: int, wrong: list[str]) -> int | None:
    """The number from 1, or None and one more sentence about what is wrong."""
    number = whole_number(text)
    if number is not None and 1 <= number <= largest:
        return number
    wrong.append(f"{name}: expected a whole number from 1 to {largest:,}, not {text!r}")
    return None
