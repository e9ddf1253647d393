"""The package as a stranger gets it: a source distribution, installed without the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from databases import WHY_NOT, has_postgresql, postgresql_database
from readme import quickstart

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(
    not os.environ.get("ACCOUNTING_TEST_LONG"),
    reason="SKIPPED: compiles everything again; ACCOUNTING_TEST_LONG is not set",
)


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_source_distribution_installs_without_the_checkout(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "build", cwd=tmp_path)
    run(python, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    [sdist] = tmp_path.glob("accounting-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "CMakeLists.txt", "pyproject.toml", "src/CMakeLists.txt"} <= names
    assert not [name for name in names if re.match(r"build/|\.git|.*__pycache__", name)]

    run(python, "-m", "pip", "install", sdist, cwd=tmp_path)
    program, output = quickstart()
    assert run(python, "-c", program, cwd=tmp_path) == output
    with databases(tmp_path) as urls:
        for url in urls:
            use(tmp_path / "venv" / "bin" / "accounting", url, tmp_path)


@contextmanager
def databases(folder: Path) -> Iterator[list[str]]:
    sqlite = f"sqlite:///{folder}/books.db"
    if not has_postgresql():
        print(WHY_NOT)
        yield [sqlite]
        return
    with postgresql_database() as server:
        yield [sqlite, server]


def use(command: Path, url: str, folder: Path) -> None:
    """One command of each group, on a database that is new to it."""

    def answer(*words: str) -> Any:
        return json.loads(run(command, "--database", url, "--json", *words, cwd=folder))

    assert answer("init")["created"] is True
    answer("accounts", "sync", "ada", "--email", "ada@example.org", "--username", "Ada")
    answer("credits", "allocate", "ada", "1000", "--by", "admin")
    answer("pricing", "set", "atlas", "2.5", "--by", "admin")
    answer("credits", "charge", "ada", "chat", "atlas", "30")
    assert answer("sessions", "expire-stale", "--yes") == []
    assert answer("usage", "stats")["by_user"] == {"ada": 30}
    assert answer("report", "--output", "report.html")["balance_credits"] == 970
    assert answer("doctor")["ok"] is True
