"""Real books beside the model: SQLite always, PostgreSQL where the tests have a server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import accounting
from accounting import (
    Accounting,
    AccountingError,
    InsufficientCredits,
    ManualClock,
    Policy,
    Transaction,
)
from databases import WHY_NOT, has_postgresql, postgresql_database, psql
from model.answers import plain
from model.books import ModelBooks
from model.state import Refused

# Where a model's method has another name than the service's.
MODEL_NAMES = {
    "accounts.list": "list_accounts",
    "pricing.set": "set_price",
    "pricing.get": "get_price",
    "pricing.list": "list_prices",
    "sessions.get": "get_session",
    "sessions.active": "active_sessions",
    "usage.list": "list_usage",
}

Call: TypeAlias = tuple[str, dict[str, Any]]


def carry_out(target: Accounting | Transaction, call: Call) -> Any:
    """Make the call on real books."""
    service, method = call[0].split(".")
    answer = getattr(getattr(target, service), method)(**call[1])
    if call[0] == "credits.charge_many":
        return [outcome(partial(_raised, one)) for one in answer]
    return answer


def _raised(answer: Any) -> Any:
    if isinstance(answer, AccountingError):
        raise answer
    return answer


def carry_out_on_model(model: ModelBooks, call: Call) -> Any:
    """Make the call on the model."""
    return getattr(model, MODEL_NAMES.get(call[0], call[0].split(".")[1]))(**call[1])


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
    """A database on the tests' PostgreSQL server, emptied again and again."""

    def __init__(self, url: str) -> None:
        """Set it up. Commits are not durable here: this test is about answers."""
        self.url = url
        name = urlsplit(url).path[1:]
        psql(url, f"ALTER DATABASE {name} SET synchronous_commit = off")
        accounting.open(url, migrate=True).close()
        self._session = subprocess.Popen(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def empty(self) -> None:
        """Delete every row."""
        assert self._session.stdin is not None
        assert self._session.stdout is not None
        self._session.stdin.write(f"{EMPTY}\\echo emptied\n")
        self._session.stdin.flush()
        assert self._session.stdout.readline() == "emptied\n", "psql could not empty the database"

    def close(self) -> None:
        """End the session that empties it."""
        assert self._session.stdin is not None
        self._session.stdin.close()
        self._session.wait()


@contextmanager
def server() -> Iterator[Server | None]:
    """A server where the environment names one; says aloud where it does not."""
    if not has_postgresql():
        print(f"\n{WHY_NOT}: SQLite ONLY, no lockstep of databases")
        yield None
        return
    with postgresql_database() as url:
        made = Server(url)
        try:
            yield made
        finally:
            made.close()


def open_all(policy: Policy, clock: ManualClock, server: Server | None) -> dict[str, Accounting]:
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
