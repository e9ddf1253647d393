"""The example of the package's README."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def quickstart() -> tuple[str, str]:
    """The program, and what the README says that it prints."""
    text = README.read_text(encoding="utf-8")
    [(program, output)] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    return program, output
