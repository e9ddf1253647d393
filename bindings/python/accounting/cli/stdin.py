"""What is too secret for the command line, where every user of the machine could read it."""

from __future__ import annotations

import sys

from accounting.cli.exits import Refused

__all__ = ["read_line"]


def read_line(what: str) -> str:
    """A line of stdin, asked for where somebody sits there.

    Args:
        what: "an API key", "a token".

    Raises:
        Refused: there is none.
    """
    if sys.stdin.isatty():
        print(f"{what}, then Enter:", file=sys.stderr)
    try:
        line = sys.stdin.readline().strip()
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise Refused(f"expected {what} on stdin")
    return line
