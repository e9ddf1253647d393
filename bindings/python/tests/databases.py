"""Databases of a test's own, on the server that the tests were given."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

SERVER = "ACCOUNTING_TEST_POSTGRESQL"
WHY_NOT = f"SKIPPED: {SERVER} is not set, so nothing runs on PostgreSQL"

# Breaks whatever is connected to a database but the one who asks.
END_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

_numbers = itertools.count(1)


def has_postgresql() -> bool:
    return bool(os.environ.get(SERVER))


def psql(url: str, statement: str) -> str:
    """What a statement answers: rows as lines, fields separated by |."""
    program = shutil.which("psql")
    assert program is not None, "the tests on PostgreSQL need its client, psql"
    run = subprocess.run(
        [program, url, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement],
        check=True,
        capture_output=True,
        text=True,
        # It stands still with a sanitizer's library, which is there for the module alone.
        env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
    )
    return run.stdout.strip()


@contextmanager
def postgresql_database() -> Iterator[str]:
    """A database that nobody else has, dropped at the end; answers its URL."""
    server = os.environ[SERVER]
    name = f"python_{os.getpid()}_{next(_numbers)}"
    psql(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        psql(server, f"DROP DATABASE {name} WITH (FORCE)")
