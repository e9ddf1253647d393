"""Where a command works: opened books, dry runs, questions, and errors turned into exit codes."""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import unquote

import typer

import accounting
from accounting.books import Accounting, Transaction
from accounting.cli.exits import ExitCode, Refused, exit_code, place_of, redacted
from accounting.cli.output import Output, Unwritten, silence
from accounting.errors import AccountingError, MigrationError
from accounting.limits import LONGEST_NAME
from accounting.values import Value

__all__ = ["Desk", "Services", "actor", "at_desk", "root_options", "sqlite_file"]

Answer = TypeVar("Answer")

# What has the services: the books themselves, or a transaction on them.
Services: TypeAlias = Accounting | Transaction

# Somebody waits for `doctor` and `report` on large books; a server's default would cut them off.
_PATIENCE = timedelta(minutes=10)

# --database and --json before the command's name, for the command to find.
root_options: ContextVar[tuple[str | None, bool]] = ContextVar(
    "root_options", default=(None, False)
)


class Desk:
    """One command's place of work.

    Attributes:
        out: where it prints.
        url: the database that was named; None: the environment's DB_HOST and so on.
        changed: whether the command has had its effect.
    """

    def __init__(self, database: str | None, as_json: bool) -> None:
        """Take the command's own options; those before its name count where it has none."""
        root_database, root_json = root_options.get()
        self.out = Output(as_json or root_json)
        self.url = database or root_database or os.environ.get("ACCOUNTING_DATABASE_URL") or None
        self.changed = False
        self._books: Accounting | None = None

    @property
    def books(self) -> Accounting:
        """The books, opened at the first use, never set up or migrated on the way."""
        if self._books is None:
            path = sqlite_file(self.url)
            if path is not None and not path.exists():
                # Opening would create it, and a slip of the pen would become an empty database.
                raise Refused(
                    f"there is no database at {path}; `accounting init` creates it",
                    code="not_found",
                    exit=ExitCode.UNREACHABLE,
                )
            in_memory = path is None and self.url is not None and self.url.startswith("sqlite:")
            self._books = self.open(migrate=in_memory)
        return self._books

    def open(self, *, migrate: bool) -> Accounting:
        """The books, with or without bringing their schema up to date."""
        if self._books is None:
            self._books = accounting.open(
                self.url,
                migrate=migrate,
                call_timeout=_PATIENCE,
                statement_timeout=_PATIENCE,
                # As the host has them, or its keys would be unknown here.
                api_key_prefix=os.environ.get("ACCOUNTING_API_KEY_PREFIX") or "acct",
                api_key_pepper=os.environ.get("ACCOUNTING_API_KEY_PEPPER") or None,
            )
        return self._books

    def close(self) -> None:
        """Close what was opened."""
        if self._books is not None:
            self._books.close()

    @property
    def place(self) -> str:
        """Which database, in words that hold no password."""
        return place_of(self.url) if self.url is not None else "as DB_HOST and DB_NAME say"

    def done(self, answer: Answer) -> Answer:
        """What a change answered. Whatever fails from here on, it was made."""
        self.changed = True
        return answer

    def preview(self, fn: Callable[[Transaction], Answer], users: Iterable[str] = ()) -> Answer:
        """What `fn` would answer: done in a transaction that is rolled back."""
        with self.books.transaction(users) as tx:
            answer = fn(tx)
            tx.rollback()
        return answer

    def apply(self, fn: Callable[[Services], Answer], *, dry_run: bool) -> Answer:
        """Do one thing, or see what it would answer."""
        return self.preview(fn) if dry_run else self.done(fn(self.books))

    def apply_all(
        self, fn: Callable[[Transaction], Answer], *, dry_run: bool, users: Iterable[str] = ()
    ) -> Answer:
        """Do several things, all or none, or see what they would answer."""
        if dry_run:
            return self.preview(fn, users)
        return self.done(self.books.transact(fn, users))

    def interruptible(self, read: Callable[[], Answer]) -> Answer:
        """What a long reading answers; Ctrl-C ends the wait for it at once.

        Python sees a signal only between calls, so the call runs on a thread of its own. For what
        writes nothing: it goes on until the process ends.
        """
        answer: Future[Answer] = Future()

        def work() -> None:
            try:
                answer.set_result(read())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return answer.result()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what cannot be undone; on stderr, so that stdout stays the answer's alone."""
        if yes:
            return
        self.out.note((question, "bold"), " [y/N]")
        try:
            answer = sys.stdin.readline().strip().lower()
        except UnicodeDecodeError:
            answer = ""
        if answer not in {"y", "yes"}:
            raise Refused(
                "not confirmed; nothing was changed (--yes answers in advance)",
                code="not_confirmed",
                exit=ExitCode.REFUSED,
            )

    def json(self, value: Value, dry_run: bool) -> None:
        """A value on stdout as JSON, with whether it only would be so."""
        self.out.json({**value.to_dict(), "dry_run": dry_run})

    def finish(self, dry_run: bool) -> None:
        """Say so, where nothing was changed."""
        if dry_run:
            self.out.note(("dry run: nothing was changed", "yellow"))


def sqlite_file(url: str | None) -> Path | None:
    """The file of a SQLite URL; None: in memory, or another database."""
    start = "sqlite:///"
    if url is None or not url.startswith(start):
        return None
    path = unquote(url[len(start) :])
    return None if path in {"", ":memory:"} else Path(path)


def actor(named: str | None) -> str:
    """Who acts, for `allocated_by` and its like: whoever was named, else who is logged in."""
    if named is not None:
        return named
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    return name.encode()[:LONGEST_NAME].decode(errors="ignore") or "cli"


@contextmanager
def at_desk(database: str | None, as_json: bool) -> Iterator[Desk]:
    """A desk for one command. What it raises becomes one line on stderr and an exit code."""
    desk: Desk | None = None
    try:
        desk = Desk(database, as_json)
        yield desk
    except (typer.Exit, typer.Abort):
        raise
    except Refused as error:
        _complain(desk, redacted(str(error)), error.code, error.lines)
        raise typer.Exit(error.exit) from None
    except MigrationError as error:
        _complain(
            desk,
            f"{redacted(str(error))}; see `accounting status`, then `accounting migrate`",
            error.code,
        )
        raise typer.Exit(exit_code(error)) from None
    except AccountingError as error:
        _complain(desk, redacted(str(error)), error.code)
        raise typer.Exit(exit_code(error)) from None
    except BrokenPipeError:
        # The reader has seen enough.
        silence(sys.stdout)
        raise typer.Exit(ExitCode.BROKEN_PIPE) from None
    except Unwritten as error:
        silence(sys.stdout)
        done = "done, but the" if desk is not None and desk.changed else "the"
        _complain(desk, f"{done} answer could not be written: {error}", "answer_not_written")
        raise typer.Exit(ExitCode.UNWRITTEN) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(desk, f"{place}{error.strerror or 'cannot be used'}", "file_error")
        raise typer.Exit(ExitCode.USAGE) from None
    except KeyboardInterrupt:
        _complain(desk, "interrupted", "interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        # A traceback helps nobody at this terminal and could show what it should not.
        _complain(
            desk,
            f"a fault in this program, please report it: {type(error).__name__}: "
            f"{redacted(str(error))}",
            "internal_error",
        )
        raise typer.Exit(ExitCode.INTERNAL) from None
    finally:
        if desk is not None:
            desk.close()


def _complain(desk: Desk | None, message: str, code: str, lines: tuple[str, ...] = ()) -> None:
    if desk is None:
        typer.echo(f"error: {message} [{code}]", err=True)
    else:
        desk.out.error(message, code, lines)
