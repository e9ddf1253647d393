"""The command where its streams are closed, full, or pipes whose reader went away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounting.cli.exits import ExitCode
from cli_tool import Tool

FULL = Path("/dev/full")

# The second only answers; the third asks.
ALLOCATE = "credits allocate ada 5 --by admin"
LIST = "accounts list"
REVOKE = "credits revoke ada 1"


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """On a database with `ada`, who has 10 credits."""
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    tool.run("init")
    tool.run("accounts", "sync", "ada", "--email", "ada@example.org", "--username", "Ada")
    tool.run("credits", "allocate", "ada", "11", "--by", "admin")
    tool.run("credits", "charge", "ada", "chat", "m", "1")
    tool.run("keys", "create", "ada", "laptop")
    return tool


def shell(tool: Tool, line: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `accounting` is the command."""
    return subprocess.run(
        ["bash", "-c", f'accounting() {{ "{sys.executable}" -m accounting.cli "$@"; }}; {line}'],
        env={**os.environ, "ACCOUNTING_DATABASE_URL": tool.url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def credits(tool: Tool) -> int:
    total: int = tool.json("credits", "balance", "ada")["total_credits"]
    return total


@pytest.mark.parametrize("json", ["", "--json"])
def test_a_reader_that_went_away_ends_with_141_whatever_was_done(tool: Tool, json: str) -> None:
    run = shell(tool, f"accounting {ALLOCATE} {json} | true; exit ${{PIPESTATUS[0]}}")
    assert (run.returncode, run.stderr) == (ExitCode.BROKEN_PIPE, "")
    assert credits(tool) == 15


@pytest.mark.skipif(not FULL.exists(), reason="SKIPPED: there is no /dev/full here")
@pytest.mark.parametrize("json", ["", "--json"])
@pytest.mark.parametrize(
    ("command", "said", "total"),
    [
        (ALLOCATE, "done, but the answer could not be written: ", 15),
        (f"{REVOKE} --yes", "done, but the answer could not be written: ", 0),
        ("keys create ada server", "done, but the answer could not be written: ", 10),
        ("keys revoke ada 1 --yes", "done, but the answer could not be written: ", 10),
        (f"{ALLOCATE} --dry-run", "the answer could not be written: ", 10),
        (LIST, "the answer could not be written: ", 10),
        ("usage export", "the answer could not be written: ", 10),
    ],
)
def test_an_answer_that_cannot_be_written_has_a_code_of_its_own(
    tool: Tool, command: str, said: str, total: int, json: str
) -> None:
    run = shell(tool, f"accounting {command} {json} >{FULL}")
    assert run.returncode == ExitCode.UNWRITTEN
    assert run.stderr.startswith(f"error: {said}")
    assert run.stderr.endswith(" [answer_not_written]\n")
    assert len(run.stderr.splitlines()) == 1
    assert credits(tool) == total


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"accounting {LIST} >&-", ExitCode.OK),
        (f"accounting {LIST} 2>&-", ExitCode.OK),
        (f"accounting {LIST} <&- >&- 2>&-", ExitCode.OK),
        ("accounting accounts get nobody 2>&-", ExitCode.REFUSED),
        ("accounting credits allocate ada 0 2>/dev/full", ExitCode.USAGE),
        ("accounting accounts get nobody 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}", 1),
        (f"accounting {REVOKE} <&-", ExitCode.REFUSED),
        (f"accounting {REVOKE} 2>&-", ExitCode.REFUSED),
        (f"printf '\\xff' | PYTHONIOENCODING=utf8:strict accounting {REVOKE}", ExitCode.REFUSED),
        ("accounting keys validate <&-", ExitCode.USAGE),
        ("printf '\\xff' | PYTHONIOENCODING=utf8:strict accounting keys validate", ExitCode.USAGE),
        ("accounting credits allocate-csv - <&-", ExitCode.USAGE),
    ],
)
def test_closed_streams_end_as_the_command_does(tool: Tool, line: str, code: int) -> None:
    run = shell(tool, line)
    assert run.returncode == code, run
    assert "Traceback" not in run.stderr
    assert "internal_error" not in run.stderr
    assert credits(tool) == 10


def test_with_stdout_closed_a_change_is_made(tool: Tool) -> None:
    assert shell(tool, f"accounting {ALLOCATE} >&-").returncode == ExitCode.OK
    assert credits(tool) == 15
