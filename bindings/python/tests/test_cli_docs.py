"""What docs/command-line.md says is what the program does, also on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from accounting.cli.app import app
from accounting.cli.exits import EXIT_CODES_HELP, ExitCode
from cli_tool import Tool

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "command-line.md").read_text("utf-8")
ROOT = typer.main.get_command(app)


def commands(group: Any = ROOT, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its words, groups included."""
    yield name.strip(), group
    for word, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{name} {word}")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table with that heading."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    lines = [line.replace(r"\|", "/") for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_names_every_command_and_no_other() -> None:
    told = set()
    for cell, _ in rows("command"):
        for text in re.findall("`([^`]+)`", cell):
            group, _, names = text.rpartition(" ")
            told |= {f"{group} {name}".strip() for name in names.split("/")}
    assert told == {name for name, one in commands() if not hasattr(one, "commands")}


def test_the_page_and_the_help_name_every_exit_code() -> None:
    told = {int(code) for cell, _ in rows("exit code") for code in cell.split(",")}
    assert told == {int(code) for code in ExitCode}
    assert {int(code) for code in re.findall(r"(\d+) [a-z]", EXIT_CODES_HELP)} == told


def test_every_command_argument_and_option_has_help() -> None:
    silent = []
    for name, command in commands():
        if not command.help:
            silent.append(name)
        silent += [f"{name} {one.name}" for one in command.params if not getattr(one, "help", "")]
    assert silent == []


def test_the_commands_on_the_page_run(tmp_path: Path) -> None:
    [block] = re.findall(r"(?:^    .*\n)+", PAGE.split("\n| command", 1)[0], re.MULTILINE)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert lines[0] == ["export", "ACCOUNTING_DATABASE_URL=sqlite:////srv/books.db"]
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    for program, *arguments in lines[1:]:
        assert program == "accounting"
        ended = tool.run(*arguments)
    assert "1,000 credits" in ended.out
    [options] = re.findall(r"`accounting report (.*?)`", PAGE)
    with_page = [str(tmp_path / one) if one.endswith(".html") else one for one in options.split()]
    tool.run("report", *with_page)
    assert (tmp_path / "november.html").exists()


# --- on a terminal --------------------------------------------------------------------------------


def on_terminal(url: str, width: int, *arguments: str) -> str:
    """What a terminal of that width shows, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "accounting.cli", *arguments],
        env={**environment, "ACCOUNTING_DATABASE_URL": url, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while some := os.read(ours, 65_536):
            shown += some
    except OSError:  # Linux's way to say that the other side is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=30) == 0, shown
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r\n", "\n")


@pytest.fixture
def journal(tmp_path: Path) -> str:
    """Books with a large allocation and a session of a long name."""
    tool = Tool(f"sqlite:///{tmp_path}/books.db")
    with tool.books() as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
        books.credits.allocate("ada", 10**15, "admin", notes="agreed " * 20)
        books.pricing.set("m", "1", "admin")
        books.sessions.initialize("session-" + "x" * 60, "ada", "m", 1_000)
    return tool.url


@pytest.mark.parametrize("width", [120, 80, 50])
def test_a_narrow_terminal_folds_ids_and_notes_alone(journal: str, width: int) -> None:
    entries = on_terminal(journal, width, "credits", "entries", "ada")
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +allocate", entries)
    assert "+1,000,000,000,000,000" in entries
    balance = on_terminal(journal, width, "credits", "balance", "ada")
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  \(in 30 days\)", balance)
    # Everything is there, however it is folded.
    assert "".join(balance.split()).count("agreed") == 20
    assert entries.count("x") >= 60


def test_a_terminal_that_is_wide_enough_is_not_exceeded(journal: str) -> None:
    for arguments in (["credits", "entries", "ada"], ["sessions", "active"], ["accounts", "list"]):
        lines = on_terminal(journal, 120, *arguments).splitlines()
        assert max(map(len, lines)) <= 120
