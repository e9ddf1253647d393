"""The examples of the READMEs."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
TOP = Path(__file__).resolve().parents[3] / "README.md"


def quickstart() -> tuple[str, str]:
    """The program, and what the README says that it prints."""
    text = README.read_text(encoding="utf-8")
    [(program, output)] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    return program, output


def first_look() -> tuple[str, str]:
    """The program in the README at the top, and what its last comment says that it prints."""
    [program] = re.findall(r"```python\n(.*?)```", TOP.read_text(encoding="utf-8"), re.DOTALL)
    return program, program.rpartition("# ")[2]
