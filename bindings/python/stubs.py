"""Writes accounting/_core.pyi from the built module, or says where it differs.

    python bindings/python/stubs.py            writes it
    python bindings/python/stubs.py --check    compares; exit code 1 and a diff where it differs

Needs the package installed, pybind11-stubgen and ruff.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STUB = Path(__file__).parent / "accounting" / "_core.pyi"


def generated() -> str:
    """The stub as the built module has it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pybind11_stubgen", "accounting._core", "-o", folder],
            check=True,
            capture_output=True,
            text=True,
        )
        text = (Path(folder) / "accounting" / "_core.pyi").read_text()
    # What the module takes it checks itself, one argument at a time.
    text = re.sub(r"(\w+): typing\.Any(?=[,)])", r"\1: object", text)
    # A method named list hides the type of that name.
    text = text.replace("-> list[", "-> builtins.list[")
    text = text.replace("import typing\n", "import builtins\nimport typing\n", 1)
    for tidy in (["check", "--fix", "--select", "I", "--quiet"], ["format"]):
        command = [sys.executable, "-m", "ruff", *tidy, "--stdin-filename", str(STUB), "-"]
        text = subprocess.run(
            command, input=text, check=True, capture_output=True, text=True
        ).stdout
    return text


def main() -> int:
    """Write or compare."""
    text = generated()
    if "--check" not in sys.argv[1:]:
        STUB.write_text(text)
        return 0
    committed = STUB.read_text() if STUB.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(
            committed.splitlines(keepends=True),
            text.splitlines(keepends=True),
            "committed _core.pyi",
            "generated _core.pyi",
        )
    )
    return int(committed != text)


if __name__ == "__main__":
    sys.exit(main())
