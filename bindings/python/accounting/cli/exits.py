"""How a command ends: the exit codes, and errors as one line with a stable code."""

from __future__ import annotations

import enum
import re

from accounting.errors import (
    AccountingError,
    InvalidArgument,
    MigrationError,
    StoreError,
)

__all__ = ["EXIT_CODES_HELP", "ExitCode", "Refused", "exit_code", "redacted"]


class ExitCode(enum.IntEnum):
    """What a script can tell from the exit code alone."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNBALANCED = 4
    INTERNAL = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_CODES_HELP = (
    "Exit codes: 0 done · 1 refused by the books, or not confirmed · 2 the command line, or a "
    "file that it names, cannot be used · 3 the database is out of reach, not set up, of another "
    "version, or failed · 4 the books do not balance · 70 a fault of this program · "
    "130 interrupted · 141 the reader of a pipe went away"
)


class Refused(Exception):
    """The command itself says no, before or instead of the books.

    Attributes:
        code: a stable word, as an `AccountingError` has.
        exit: how the process ends.
        lines: details, one a line, printed below the message.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_argument",
        exit: ExitCode = ExitCode.USAGE,
        lines: tuple[str, ...] = (),
    ) -> None:
        """Take the sentence for people and what a script needs."""
        super().__init__(message)
        self.code = code
        self.exit = exit
        self.lines = lines


def exit_code(error: AccountingError) -> ExitCode:
    """The exit code of what the books raised."""
    if isinstance(error, InvalidArgument):
        return ExitCode.USAGE
    if isinstance(error, (StoreError, MigrationError)):
        return ExitCode.UNREACHABLE
    return ExitCode.REFUSED


# The user part may itself hold an unescaped @ or /, so everything up to the last @ goes.
_PASSWORD = re.compile(r"(?P<start>\w+://[^\s:/@]*):[^\s]*@")
_OPTIONS = re.compile(r"(?P<url>\w+://[^\s?]*)\?\S*")


def redacted(text: str) -> str:
    """The text with the password, and the options, of every URL in it left out.

    >>> redacted("postgresql://ada:se:cr@et@host/books?sslpassword=x")
    'postgresql://ada:***@host/books'
    """
    return _OPTIONS.sub(r"\g<url>", _PASSWORD.sub(r"\g<start>:***@", text))
