"""Subjects: what can be measured, be it a case or the floor of one. Equal ones are the same."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from figures import Figures
from world import ACCOUNTS, Failed, Window, World

HERE = Path(__file__).resolve().parent
# How the library has its statements planned: once, for the index that they are written for.
AS_THE_LIBRARY = (
    "-c plan_cache_mode=force_generic_plan -c jit=off -c enable_hashjoin=off "
    "-c enable_mergejoin=off -c enable_seqscan=off"
)


class Subject(Protocol):
    """Something whose speed can be measured."""

    @property
    def callers(self) -> int: ...

    @property
    def series(self) -> str:
        """The line of the chart that it is a point of; empty: none."""
        ...

    def measure(self, world: World, window: Window) -> Figures: ...


@dataclass(frozen=True)
class Bench:
    """A command of accounting_bench."""

    command: str
    database: str = ""
    callers: int = 1
    accounts: int = ACCOUNTS
    user: str = ""
    options: tuple[tuple[str, int], ...] = ()
    series: str = ""

    def measure(self, world: World, window: Window) -> Figures:
        options: list[object] = []
        for name, value in self.options:
            options += [f"--{name}", value]
        if self.database:
            options += ["--database", world.url(self.database)]
        if self.user:
            options += ["--user", self.user]
        told = world.bench(
            self.command,
            *("--callers", self.callers, "--accounts", self.accounts),
            *("--seconds", window.seconds, "--warm-up", window.warm_up),
            *options,
        )
        return Figures(
            per_second=told["operations"] / told["seconds"],
            p50=told["p50"],
            p99=told["p99"],
            failures=told["failures"],
            failure=told["failure"],
        )


@dataclass(frozen=True)
class PgbenchFloor:
    """Prepared statements, called by pgbench: what PostgreSQL needs at least."""

    script: str  # the one that is named floor_….sql
    database: str  # tcp or unix
    callers: int
    accounts: int = ACCOUNTS
    series: str = ""
    operations: int = 1  # in one transaction

    def measure(self, world: World, window: Window) -> Figures:
        script = HERE / f"floor_{self.script}.sql"
        clients: tuple[object, ...] = (
            *("--client", self.callers, "--jobs", min(self.callers, os.cpu_count() or 1)),
            *("--define", f"accounts={self.accounts}", "--define", f"clients={self.callers}"),
            *("--define", f"operations={self.operations}"),
        )
        settings = AS_THE_LIBRARY if self.script.startswith("rows") else ""
        # pgbench counts from its first transaction on, so that it warms up in a run of its own.
        world.pgbench(self.database, script, *clients, "--transactions", 20, settings=settings)
        told = world.pgbench(
            self.database, script, *clients, "--time", round(window.seconds), settings=settings
        )
        found = re.search(r"tps = ([0-9.]+)", told)
        if found is None:
            raise Failed(f"pgbench did not say how fast it was: {told}")
        return Figures(per_second=float(found.group(1)) * self.operations)


@dataclass(frozen=True)
class PythonCharge:
    """Charges by threads of one Python process."""

    database: str
    callers: int
    series: str = ""

    def measure(self, world: World, window: Window) -> Figures:
        told = json.loads(
            world.run(
                [
                    *(world.python, HERE / "python_charge.py", world.url(self.database)),
                    *(self.callers, ACCOUNTS, window.warm_up, window.seconds),
                ]
            )
        )
        return Figures(**told)
