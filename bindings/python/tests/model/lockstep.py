"""Real books beside the model: SQLite always, PostgreSQL where the tests have a server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import accounting
from accounting import AccountingError, InsufficientCredits, ManualClock, Policy
from model.answers import plain
from model.state import Refused

# Triggers and foreign keys off: the journal refuses to lose entries, and DELETE is far cheaper
# than TRUNCATE for tables that hold a few rows.
EMPTY = """
SET session_replication_role = replica; SET synchronous_commit = off;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP; END $$;
"""


class Server:
    """A database of its own on the tests' PostgreSQL server, emptied again and again."""

    def __init__(self, url: str) -> None:
        """Create it. Commits are not durable here: this test is about answers."""
        self._server = url
        self._name = f"lockstep_{os.getpid()}"
        self._psql(url, f"CREATE DATABASE {self._name}")
        self._psql(url, f"ALTER DATABASE {self._name} SET synchronous_commit = off")
        self.url = urlsplit(url)._replace(path=f"/{self._name}").geturl()
        accounting.open(self.url, migrate=True).close()
        self._session = subprocess.Popen(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def empty(self) -> None:
        """Delete every row."""
        assert self._session.stdin is not None
        assert self._session.stdout is not None
        self._session.stdin.write(f"{EMPTY}\\echo emptied\n")
        self._session.stdin.flush()
        assert self._session.stdout.readline() == "emptied\n", "psql could not empty the database"

    def drop(self) -> None:
        """Drop it."""
        assert self._session.stdin is not None
        self._session.stdin.close()
        self._session.wait()
        self._psql(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")

    def _psql(self, url: str, command: str) -> None:
        subprocess.run(["psql", "-X", "-q", "-c", command, url], check=True)


@contextmanager
def server() -> Iterator[Server | None]:
    """A server where the environment names one; says aloud where it does not."""
    url = os.environ.get("ACCOUNTING_TEST_POSTGRESQL")
    if not url:
        print("\nACCOUNTING_TEST_POSTGRESQL is not set: SQLite ONLY, no lockstep of databases")
        yield None
        return
    made = Server(url)
    try:
        yield made
    finally:
        made.drop()


def open_all(
    policy: Policy, clock: ManualClock, server: Server | None
) -> dict[str, accounting.Accounting]:
    """Empty books by the name of their database."""
    books = {"sqlite": accounting.open("sqlite://", policy=policy, clock=clock)}
    if server is not None:
        server.empty()
        books["postgresql"] = accounting.open(server.url, policy=policy, clock=clock, pool_size=1)
    return books


def outcome(call: Callable[[], Any]) -> tuple[Any, ...]:
    """What a call came to: its answer, or the error's code and amounts."""
    try:
        return ("answered", plain(call()))
    except Refused as refusal:
        return ("refused", refusal.code, *refusal.amounts)
    except InsufficientCredits as error:
        return ("refused", error.code, error.required, error.available)
    except AccountingError as error:
        return ("refused", error.code)
