"""World: the databases of a run, and the programs that work on them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = "sqlite://"
# Accounts that calls are spread over.
ACCOUNTS = 1_000


class Failed(Exception):
    """A program that the run needs has failed."""


@dataclass(frozen=True)
class Window:
    """How long each figure is measured, in seconds, and what comes before and does not count."""

    seconds: float
    warm_up: float


class World:
    """A PostgreSQL server that runs, a folder for SQLite's files beside it, and a slow network."""

    def __init__(self, program: Path, python: Path, postgresql: Path, directory: Path, tcp: str):
        self.program = program
        self.python = python
        self._postgresql = postgresql
        self.directory = directory
        server = urllib.parse.urlsplit(tcp)
        self.user = server.username or ""
        self.port = server.port or 0
        self._proxy_port = 0

    def url(self, database: str) -> str:
        """The URL of `tcp`, `unix`, `proxy`, `statistics`, `memory`, or of a file of SQLite's."""
        if database == "memory":
            return MEMORY
        if database in ("file", "floor_file", "rows_file"):
            return f"sqlite:///{self.directory / database}.db"
        if database == "unix":
            return f"postgresql://{self.user}@/accounting?host={self.directory}&port={self.port}"
        name = "statistics" if database == "statistics" else "accounting"
        port = self._proxy_port if database == "proxy" else self.port
        return f"postgresql://{self.user}@127.0.0.1:{port}/{name}"

    def bench(self, command: str, *options: object) -> Any:
        """What accounting_bench prints."""
        return json.loads(self.run([self.program, command, *options]))

    def psql(self, database: str, sql: str, **variables: object) -> str:
        settings = [f"--set={name}={value}" for name, value in variables.items()]
        return self.run(
            [
                self._postgresql / "psql",
                *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
                *("--set=ON_ERROR_STOP=1", *settings, self.url(database)),
            ],
            text=sql,
        ).strip()

    def pgbench(self, database: str, script: Path, *options: object, settings: str = "") -> str:
        where = ["--host", self.directory if database == "unix" else "127.0.0.1"]
        return self.run(
            [
                self._postgresql / "pgbench",
                *("--no-vacuum", "--protocol=prepared", "--file", script),
                *(*where, "--port", self.port, "--username", self.user),
                *(*options, "accounting"),
            ],
            settings=settings,
        )

    def run(self, command: Sequence[object], text: str | None = None, settings: str = "") -> str:
        """`settings` are for PostgreSQL, as options of its own command line."""
        done = subprocess.run(
            [*map(str, command)],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env={**os.environ, "PGOPTIONS": settings},
        )
        if done.returncode != 0:
            raise Failed(f"{Path(str(command[0])).name} {command[1]}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def proxy(self, delay: int) -> Iterator[None]:
        """A way to the server that takes so many microseconds longer each way."""
        with subprocess.Popen(
            [self.program, "proxy", "--port", str(self.port), "--delay", str(delay)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            self._proxy_port = int(process.stdout.readline())
            yield
            # Leaving the block closes its input, and with that it ends.
