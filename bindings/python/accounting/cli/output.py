"""What a command prints: tables and cards for people, JSON for programs."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TextIO, TypeAlias

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from accounting.values.base import plain

__all__ = [
    "Cell",
    "Output",
    "Step",
    "Unwritten",
    "answering",
    "clean",
    "expiry",
    "instant",
    "now",
    "silence",
]

Cell: TypeAlias = Text | str | int | Decimal | datetime | None

# Wider than any table: what is piped into a file or another program is never cut or folded.
_UNLIMITED = 10_000

# Allocations that end this soon are worth a second look.
_SOON = timedelta(days=7)
_DAY = timedelta(days=1)

# Narrower than this no text is folded: letters one below the other cannot be read.
_FOLDED = 10


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(timezone.utc)


def clean(text: str) -> str:
    r"""The text without what could steer a terminal: notes and names come from anywhere.

    >>> clean("Ada\x1b[2J")
    'Ada\\x1b[2J'
    """
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in {"Cc", "Cf", "Cs"}
        else character
        for character in text
    )


def instant(value: datetime) -> str:
    """To the second, in UTC.

    >>> instant(datetime(2026, 1, 31, 12, tzinfo=timezone.utc))
    '2026-01-31 12:00:00'
    """
    return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def expiry(value: datetime | None, at: datetime) -> Text:
    """When credits end, and how far away that is; coloured where it is soon or over."""
    if value is None:
        return Text("never")
    left = value - at
    if left.total_seconds() <= 0:
        return Text(f"{instant(value)}  (past)", style="red")
    # To the nearest day: credits just given for 30 days end in 30 days, not in 29 and some hours.
    days = (left + timedelta(hours=12)).days
    away = f"in {days:,} days" if days > 1 else "in 1 day" if left >= _DAY else "within a day"
    return Text(f"{instant(value)}  ({away})", style="yellow" if left < _SOON else "")


def _text(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    if cell is None:
        return Text("\N{EN DASH}", style="dim")
    if isinstance(cell, int):
        return Text(f"{cell:,}")
    if isinstance(cell, Decimal):
        return Text(f"{cell:,f}")
    if isinstance(cell, datetime):
        return Text(instant(cell))
    return Text(clean(cell))


class Unwritten(Exception):
    """The answer could not be written to stdout, whatever was done before."""


@contextmanager
def answering() -> Iterator[None]:
    """Around what writes to stdout: Unwritten where it takes nothing more.

    A reader that went away stays a BrokenPipeError.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritten(error.strerror or str(error)) from None


def silence(stream: TextIO) -> None:
    """Have a stream that failed drop what it still holds, or Python complains when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


class _Console(Console):
    """A console whose stream may fail."""

    def on_broken_pipe(self) -> None:
        """Leave it to `at_desk`; rich itself would end the process with 1."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Step:
    """One long piece of work: `advance` as it goes on."""

    def __init__(self, progress: Progress, total: int | None, label: str) -> None:
        """For `Output.progress`."""
        self._progress = progress
        self._task = progress.add_task(label, total=total)

    def advance(self, by: int = 1) -> None:
        """Say that so much more is done."""
        self._progress.advance(self._task, by)

    def total(self, total: int) -> None:
        """Say how much there is, once that is known."""
        self._progress.update(self._task, total=total)


class Output:
    """The two streams: answers on stdout, everything said about them on stderr."""

    def __init__(self, as_json: bool) -> None:
        """Write JSON alone to stdout where `as_json`."""
        self.as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    def json(self, value: Any) -> None:
        """One JSON document on stdout."""
        unicode_ok = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        text = json.dumps(plain(value), indent=2, ensure_ascii=not unicode_ok)
        with answering():
            print(text)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        empty: str = "none",
        footer: Sequence[Cell] | None = None,
    ) -> None:
        """A table. On a narrow terminal only texts of any length fold, ids and notes.

        Args:
            title: above it.
            columns: the headings. One that begins with ">" is aligned to the right and never folds;
                one that begins with "=" never folds.
            rows: the cells; numbers get thousands separators.
            empty: what is said where there are no rows.
            footer: a last line, for sums.
        """
        body = [[_text(cell) for cell in row] for row in rows]
        if not body:
            self._answer(Text.assemble((clean(title), "bold"), f": {empty}"))
            return
        table = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            show_footer=footer is not None,
            pad_edge=False,
        )
        last = [_text(cell) for cell in footer] if footer is not None else [Text()] * len(columns)
        for column, *cells in zip(columns, last, *body, strict=True):
            _add_column(table, column, cells)
        for row in body:
            table.add_row(*row)
        self._answer(Text(clean(title), style="bold"))
        needed = sum(column.min_width or 0 for column in table.columns) + 3 * (len(columns) - 1)
        if needed > self._out.width:
            # The terminal breaks the lines itself; rich would leave columns out.
            table.width = needed
        self._answer(table, crop=False)
        self._answer()

    def card(self, title: str, fields: Mapping[str, Cell]) -> None:
        """One thing, a line for each of its fields; fields that are None are left out."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, cell in fields.items():
            if cell is not None:
                value = _text(cell)
                if isinstance(cell, datetime):
                    value.append(" UTC")
                grid.add_row(name, value)
        self._answer(Text(clean(title), style="bold"))
        self._answer(grid)

    def line(self, *parts: str | tuple[str, str]) -> None:
        """A line on stdout, of texts and (text, style) pairs."""
        self._answer(_assembled(parts))

    def note(self, *parts: str | tuple[str, str]) -> None:
        """A line on stderr: about the answer, not part of it."""
        self._say(_assembled(parts))

    def error(self, message: str, code: str, lines: Sequence[str] = ()) -> None:
        """What went wrong, on stderr: one line, and one for each detail, however wide they are."""
        parts = (("error: ", "bold red"), message, (f" [{code}]", "dim"))
        for line in (_assembled(parts), *(_assembled([f"  {line}"]) for line in lines)):
            self._say(line, soft_wrap=True)

    def _answer(self, *parts: Text | Table, crop: bool = True) -> None:
        with answering():
            self._out.print(*parts, crop=crop)

    def _say(self, text: Text, *, soft_wrap: bool | None = None) -> None:
        try:
            self._err.print(text, soft_wrap=soft_wrap)
        except OSError:
            # Nobody can be told; the exit code still says how the command ended.
            silence(sys.stderr)

    @contextmanager
    def progress(
        self, label: str, total: int | None = None, *, hidden: bool = False
    ) -> Iterator[Step]:
        """A progress bar on stderr while the block runs; nothing where that is no terminal."""
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._err,
            transient=True,
            disable=hidden or not self._err.is_terminal,
        ) as progress:
            yield Step(progress, total, label)


def _add_column(table: Table, column: str, cells: Sequence[Text]) -> None:
    """The column of that heading; its footer is the first of the cells."""
    heading = column.lstrip(">=")
    whole = heading != column
    widest = max(cell_len(heading), *(cell.cell_len for cell in cells))
    table.add_column(
        heading,
        justify="right" if column.startswith(">") else "left",
        no_wrap=whole,
        overflow="fold",
        footer=cells[0],
        min_width=widest if whole else min(widest, _FOLDED),
    )


def _assembled(parts: Iterable[str | tuple[str, str]]) -> Text:
    return Text.assemble(
        *(clean(part) if isinstance(part, str) else (clean(part[0]), part[1]) for part in parts)
    )


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        # Names from anywhere must not end the command where the stream has no such letters.
        stream.reconfigure(errors="backslashreplace")
    console = _Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not stream.isatty() and "COLUMNS" not in os.environ:
        console.width = _UNLIMITED
    return console
