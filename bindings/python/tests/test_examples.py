"""The examples print what is stored beside them.

ACCOUNTING_TEST_UPDATE=1 stores what they print now.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import accounting
from accounting import Accounting, ManualClock

EXAMPLES = Path(__file__).parents[3] / "examples" / "python"
SCRIPTS = ["monthly_grant", "reconcile", "runs_out"]


@pytest.fixture
def sample(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Accounting]:
    """The sample database, on SQLite, and the scripts where they can be imported."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    with accounting.open(f"sqlite:///{tmp_path}/sample.db", clock=clock) as books:
        importlib.import_module("sample_books").fill(books, clock)
        yield books


def compare(name: str, printed: str) -> None:
    stored = EXAMPLES / f"{name}.output"
    if os.environ.get("ACCOUNTING_TEST_UPDATE") == "1":
        stored.write_text(printed)
    assert printed == stored.read_text(), f"{name} prints something else than {stored.name}"


def test_quickstart() -> None:
    command = [sys.executable, str(EXAMPLES / "quickstart.py")]
    compare(
        "quickstart", subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )


def test_monthly_grant(
    sample: Accounting, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = importlib.import_module("monthly_grant").main
    before = sample.credits.balance("ada").total_credits
    assert grant(sample, ["--credits", "1000"]) == 0
    clock.advance(days=1)
    sample.accounts.sync("eve", "eve@example.org", "Eve")
    print("\n# a day later")
    assert grant(sample, ["--credits", "1000"]) == 0
    print("\n# with another amount")
    assert grant(sample, ["--credits", "2000", "--month", "2026-03"]) == 1
    print("\n# for the next month")
    assert grant(sample, ["--credits", "2000", "--month", "2026-04", "--role", "admin"]) == 0
    compare("monthly_grant", capsys.readouterr().out)
    assert sample.credits.balance("ada").total_credits == before + 1_000
    assert sample.credits.balance("root").total_credits == 0
    clock.advance(days=31)
    assert sample.credits.balance("root").total_credits == 2_000


def test_runs_out(sample: Accounting, capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module("runs_out").main(sample, []) == 0
    compare("runs_out", capsys.readouterr().out)


def test_reconcile(sample: Accounting, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    reconcile = importlib.import_module("reconcile").main
    assert reconcile(sample, [str(EXAMPLES / "invoice.csv")]) == 1
    compare("reconcile", capsys.readouterr().out)
    right = tmp_path / "right.csv"
    right.write_text("day,model,tokens\n2026-03-13,atlas,10600\n2026-03-13,borealis,8000\n")
    assert reconcile(sample, [str(right)]) == 0


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_by_themselves(sample: Accounting, name: str, tmp_path: Path) -> None:
    """On the machine's clock, with the database from the environment."""
    arguments = {"monthly_grant": ["--credits", "5"], "reconcile": [str(EXAMPLES / "invoice.csv")]}
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments.get(name, [])],
        env={**os.environ, "ACCOUNTING_DATABASE_URL": f"sqlite:///{tmp_path}/sample.db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == (1 if name == "reconcile" else 0), run.stderr
    assert run.stderr == ""


@pytest.mark.parametrize("name", ["quickstart", "sample_books", *SCRIPTS])
def test_scripts_stay_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 100
