"""The command as a test runs it: in this process, with its two streams apart."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import Any

from typer.testing import CliRunner

import accounting
from accounting.cli.app import app


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The JSON on stdout, which must be nothing but that."""
        return json.loads(self.out)


@dataclasses.dataclass(frozen=True)
class Tool:
    """The command on one database."""

    url: str

    def run(self, *arguments: str, stdin: str = "", code: int = 0) -> Ended:
        """Run it, and expect an exit code."""
        environment = {"ACCOUNTING_DATABASE_URL": self.url, "COLUMNS": None, "NO_COLOR": "1"}
        result = CliRunner().invoke(app, list(arguments), input=stdin, env=environment)
        ended = Ended(result.exit_code, result.stdout, result.stderr)
        assert ended.code == code, f"{arguments}: {ended}"
        assert "Traceback" not in ended.out + ended.err
        return ended

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run it with --json, and expect JSON and nothing else on stdout."""
        return self.run(*arguments, "--json", code=code).value

    def books(self) -> accounting.Accounting:
        return accounting.open(self.url, migrate=True)


def contents(url: str) -> object:
    """All that a database holds, to see that a command changed nothing."""
    if url.startswith("sqlite:///"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            return list(database.iterdump())
    with accounting.open(url, migrate=False) as books:
        accounts = books.accounts.list(limit=1_000)
        users = [account.user_id for account in accounts.items]
        return (
            accounts,
            [books.credits.history(user) for user in users],
            [books.credits.entries(user, limit=1_000) for user in users],
            [books.usage.list(user) for user in users],
            books.pricing.list(),
            books.sessions.all_active(),
            books.usage.system_stats(),
        )
