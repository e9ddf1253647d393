"""The command `accounting`: the books from a terminal or a script.

A person reads tables; `--json` gives a script the same values. See `accounting --help`, and
docs/command-line.md for exit codes and file formats.
"""

from accounting.cli.app import main

__all__ = ["main"]
