"""What Python adds to a charge on SQLite in memory: prints the cost in C++ and in Python.

    python bindings/python/tests/charge_cost.py             both, and the difference
    python bindings/python/tests/charge_cost.py 1000        microseconds in Python, of 1,000 charges

The C++ half is compiled against the library that `pip install .` left under build/python, so that
both run the same code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import accounting

ROOT = Path(__file__).resolve().parents[3]
# glibc gives freed memory back and asks for it anew, more often in a small process: without this,
# half of what the C++ program takes is that, and Python seems to be the faster of the two.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_TOP_PAD_": "100000000"}
LIBRARIES = ["soci_core", "soci_sqlite3", "pq", "sqlite3", "crypto", "pthread"]


class NotBuilt(Exception):
    """The C++ half cannot be compiled here."""


@dataclass(frozen=True)
class Cost:
    """Microseconds of one charge."""

    cpp: float
    python: float

    @property
    def overhead(self) -> float:
        return self.python - self.cpp

    def __str__(self) -> str:
        return (
            f"a charge on SQLite in memory: {self.cpp:.1f} µs in C++, {self.python:.1f} µs in "
            f"Python, {self.overhead:.1f} µs more"
        )


def compile_cpp(folder: Path) -> Path:
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    archives = sorted(
        (ROOT / "build" / "python").glob("*/src/libaccounting.a"),
        key=lambda path: path.stat().st_mtime,
    )
    if compiler is None or not archives:
        raise NotBuilt("there is no compiler, or no build/python: run `pip install .` first")
    archive = archives[-1]
    program = folder / "charge_cost"
    subprocess.run(
        [
            compiler,
            *("-std=c++20", "-O3", "-DNDEBUG", "-DACCOUNTING_STATIC_DEFINE"),
            f"-I{ROOT / 'include'}",
            f"-I{archive.parents[1] / 'generated' / 'include'}",
            str(Path(__file__).with_suffix(".cpp")),
            str(archive),
            *(f"-l{library}" for library in LIBRARIES),
            *("-o", str(program)),
        ],
        check=True,
    )
    return program


def printed(*command: object) -> float:
    """The number that a program prints, run with the same memory settings as the other."""
    run = subprocess.run(
        [*map(str, command)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **KEEP_MEMORY},
    )
    return float(run.stdout)


def cost_in_python(charges: int) -> float:
    with accounting.open("sqlite://") as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
        books.credits.allocate("ada", 1_000_000_000, "admin", expiry_days=30)
        begin = time.perf_counter()
        for _ in range(charges):
            books.credits.charge(
                "ada", "chat", "some-model", 3, metadata={"request": "r-1", "tokens": 1200}
            )
        return (time.perf_counter() - begin) / charges * 1e6


def measure(rounds: int = 9, charges: int = 1_000) -> Cost:
    """The best of several rounds each, taken in turn: noise only ever adds, and comes in waves."""
    with tempfile.TemporaryDirectory() as folder:
        program = compile_cpp(Path(folder))
        cpp, python = [], []
        for _ in range(rounds):
            cpp.append(printed(program, 1, charges))
            python.append(printed(sys.executable, __file__, charges))
    return Cost(min(cpp), min(python))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(cost_in_python(int(sys.argv[1])))
        sys.exit()
    try:
        print(measure())
    except NotBuilt as reason:
        sys.exit(str(reason))
