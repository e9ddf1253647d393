"""How a command ends: the exit codes, and errors as one line with a stable code."""

from __future__ import annotations

import enum
import re

from accounting.errors import AccountingError, InvalidArgument, StoreError

__all__ = ["EXIT_CODES_HELP", "ExitCode", "Refused", "exit_code", "place_of", "redacted"]


class ExitCode(enum.IntEnum):
    """What a script can tell from the exit code alone."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNBALANCED = 4
    INTERNAL = 70
    UNWRITTEN = 74
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_CODES_HELP = (
    "Exit codes: 0 done · 1 refused by the books, or not confirmed · 2 the command line, or a "
    "file that it names, cannot be used · 3 the database is out of reach, not set up, of another "
    "version, or failed · 4 the books do not balance · 70 a fault of this program · 74 done, but "
    "the answer could not be written · 130 interrupted · 141 the reader of a pipe went away"
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
    if isinstance(error, StoreError):
        return ExitCode.UNREACHABLE
    return ExitCode.REFUSED


# A URL and all that follows it: a password may hold anything, blanks and line ends too. A path of
# SQLite holds none.
_URL = re.compile(r"(?<!\w)(?!sqlite:///)(?P<scheme>\w+)://(?P<rest>.*)", re.DOTALL)
_USER = re.compile(r"[^\s:/@]*")
_HOST = r"(?:\[[0-9A-Fa-f:.%]*\]|[\w.%-]*)(?::\d*)?"
_PLACE = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/\S*)?")
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*")


def redacted(text: str) -> str:
    """The text with the password, and the options, of a URL in it left out.

    Rather too much is left out than too little: what follows a URL may still be its password.

    >>> redacted("at postgresql://ada:se cr@et@host/books?sslpassword=x")
    'at postgresql://ada:***@host/books'
    """
    return _URL.sub(_without_password, text)


def _without_password(found: re.Match[str]) -> str:
    before, _, options = found["rest"].partition("?")
    if "@" in options:
        # The question mark or the @ belongs to a password, and nobody knows which.
        return f"{found['scheme']}://***"
    login, at, place = before.rpartition("@")
    user = _USER.match(login)
    known = user[0] if user else ""
    return f"{found['scheme']}://{known}{'' if known == login else ':***'}{at}{place}"


def place_of(url: str) -> str:
    """Which database a URL names: its scheme, host and path, and nothing else of it.

    >>> place_of("postgresql://ada:se cr@et@host:5432/books?sslpassword=x")
    'postgresql://host:5432/books'
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return "a database"
    before, _, options = rest.partition("?")
    if scheme == "sqlite" and (not before or before.startswith("/")):
        return f"{scheme}://{before}"
    place = before.rpartition("@")[2]
    # As above; and what does not look like a place may be anything.
    return f"{scheme}://{place if '@' not in options and _PLACE.fullmatch(place) else '***'}"
