#!/usr/bin/env python3
"""Several processes on one SQLite file: killed in mid-commit, and waiting for each other."""

import contextlib
import pathlib
import sqlite3
import time

import harness

KILLS = 500 if harness.LONG else 25
PLAYERS = 4
OPERATIONS = 1_000 if harness.LONG else 150
KILLS_BETWEEN_CHECKS = 25 if harness.LONG else 5


def check_integrity(path: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    harness.check(found == ["ok"], f"integrity_check: {found}")


def killed_in_mid_commit(stack: harness.Stack) -> None:
    path = harness.sqlite_file(stack)
    arena = harness.Arena(stack, harness.sqlite_url(path), accounts=5, session_ttl=500)
    workers = [arena.start(threads=1) for _ in range(PLAYERS)]
    kills = rounds = 0
    while kills < KILLS:
        time.sleep(harness.dice.uniform(0.02, 0.2))
        # Now and then nobody is left: whoever opens the file next finds the log as it was.
        rounds += 1
        dead = range(PLAYERS) if rounds % 5 == 0 else [harness.dice.randrange(PLAYERS)]
        for index in dead:
            workers[index].check_alive()
            workers[index].process.kill()
        for index in dead:
            workers[index].kill()
        kills += len(dead)
        if rounds % KILLS_BETWEEN_CHECKS == 0:
            check_integrity(path)
        for index in dead:
            workers[index] = arena.start(threads=1)
    harness.check(bool(arena.new_lines()), "nothing was played")
    for worker in workers:
        worker.kill()
    check_integrity(path)
    audit = arena.audit()
    check_integrity(path)
    harness.say(f"kills={kills + PLAYERS} rounds={rounds}; audit: {audit}")
    harness.check(audit["open"] > 0, "nobody died during a call")


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
    harness.check(played["acknowledged"] == PLAYERS * OPERATIONS, "not all calls succeeded")


if __name__ == "__main__":
    harness.main(killed_in_mid_commit, writers_wait_for_each_other)
