#!/usr/bin/env python3
"""Several processes on one SQLite file: killed in mid-commit, and waiting for each other."""

import contextlib
import pathlib
import signal
import sqlite3
import time

import harness

KILLS = 500 if harness.LONG else 25
PLAYERS = 4
OPERATIONS = 1_000 if harness.LONG else 150
ROUNDS_BETWEEN_CHECKS = 25 if harness.LONG else 5
LONGEST_WAIT = 5_000  # half of what a writer waits before it gives up


def check_integrity(path: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    harness.check(found == ["ok"], f"integrity_check: {found}")


class Players:
    """Workers on one file, each of which is followed by another when it dies.

    Half of them are doomed: they kill themselves while they write a page. The others are killed.
    """

    def __init__(self, arena: harness.Arena) -> None:
        self._arena = arena
        self._doomed = [harness.dice.random() < 0.5 for _ in range(PLAYERS)]
        self._workers = [self._start(doomed) for doomed in self._doomed]
        self.kills = self.own_deaths = 0

    def _start(self, doomed: bool) -> harness.Worker:
        write = harness.dice.randrange(1, 100) if doomed else 0
        return self._arena.start(die_at_write=write)

    def dead(self) -> list[int]:
        return [index for index in range(PLAYERS) if self._has_died(self._workers[index])]

    def _has_died(self, worker: harness.Worker) -> bool:
        if worker.process.poll() != -signal.SIGKILL:
            worker.check_alive()
            return False
        return True

    def kill_some(self, all_of_them: bool) -> None:
        """One that is not doomed, or all at once; where some have died, those are replaced only."""
        dead = self.dead()
        self.own_deaths += len(dead)
        if not dead:
            candidates = [index for index in range(PLAYERS) if not self._doomed[index]]
            chosen = [harness.dice.choice(candidates)] if candidates else []
            dead = list(range(PLAYERS)) if all_of_them else chosen
            for index in dead:
                self._workers[index].process.kill()
        for index in dead:
            self._workers[index].kill()
            self._doomed[index] = harness.dice.random() < 0.5
        self.kills += len(dead)
        for index in dead:
            self._workers[index] = self._start(self._doomed[index])

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()


def killed_in_mid_commit(stack: harness.Stack) -> None:
    path = harness.sqlite_file(stack)
    arena = harness.Arena(stack, harness.sqlite_url(path), accounts=5, session_ttl=500)
    players = Players(arena)
    rounds = 0
    while players.kills < KILLS or players.own_deaths < KILLS // 5:
        wait_for_lines_or_death(arena, players)
        time.sleep(harness.dice.uniform(0, 0.02))
        rounds += 1
        # Now and then nobody is left: whoever opens the file next finds the log as it was.
        players.kill_some(all_of_them=rounds % 5 == 0)
        if rounds % ROUNDS_BETWEEN_CHECKS == 0:
            check_integrity(path)
    players.end()
    check_integrity(path)
    audit = arena.audit()
    check_integrity(path)
    harness.say(
        f"kills={players.kills} of_these_in_mid_write={players.own_deaths} rounds={rounds}; "
        f"audit: {audit}"
    )
    harness.check(audit["open"] > 0, "nobody died during a call")


def wait_for_lines_or_death(arena: harness.Arena, players: Players) -> None:
    missing = harness.dice.randrange(2, 40)

    def happened() -> bool:
        nonlocal missing
        missing -= len(arena.new_lines())
        return missing <= 0 or bool(players.dead())

    harness.wait_for(happened, "somebody works or dies")


def writers_wait_for_each_other(stack: harness.Stack) -> None:
    path = harness.sqlite_file(stack)
    arena = harness.Arena(stack, harness.sqlite_url(path), accounts=5)
    # Without patience: what a caller would see is not tried again.
    workers = [arena.start(operations=OPERATIONS, patience=0) for _ in range(PLAYERS)]
    played = harness.sum_of([worker.finish() for worker in workers])
    audit = arena.audit()
    harness.say(f"processes={PLAYERS} operations={OPERATIONS} {played}; audit: {audit}")
    harness.check(played["failed"] == 0, "BUSY reached a caller")
    harness.check(played["unknown"] == 0, "an outcome is unknown without a network")
    harness.check(played["longest_ms"] <= LONGEST_WAIT, "a writer starved")
    harness.check(played["acknowledged"] == PLAYERS * OPERATIONS, "not all calls succeeded")


if __name__ == "__main__":
    harness.main(killed_in_mid_commit, writers_wait_for_each_other)
