#!/usr/bin/env python3
"""Clients killed at random points: their locks are free at once, their holds when they time out."""

import time

import harness

KILLS = 200 if harness.LONG else 6
SESSION_TTL = 300
LONGEST_WAIT = 5_000


def kill_clients(stack: harness.Stack, name: str, url: str) -> None:
    arena = harness.Arena(stack, url, accounts=3, session_ttl=SESSION_TTL)
    longest = longest_release = released = 0
    for _ in range(KILLS):
        worker = arena.start(threads=4)
        arena.wait_for_work([worker], 1)
        time.sleep(harness.dice.uniform(0, 0.3))
        worker.kill()
        heir = arena.inherit()
        harness.check(heir["failed"] == 0, f"a call of the heir failed: {heir}")
        longest = max(longest, heir["longest_ms"])
        longest_release = max(longest_release, heir["release_ms"])
        released += heir["released_sessions"]
    audit = arena.audit()
    harness.say(
        f"{name}: kills={KILLS} released_sessions={released} longest_wait_ms={longest} "
        f"longest_release_ms={longest_release}; audit: {audit}"
    )
    harness.check(longest <= LONGEST_WAIT, "a dead client's lock was in the way")
    harness.check(audit["open"] > 0, "nobody died during a call")
    harness.check(released > 0, "nobody died with a session open")


def clients_on_postgresql(stack: harness.Stack) -> None:
    kill_clients(stack, "PostgreSQL", harness.postgresql_database(stack))


def clients_on_sqlite(stack: harness.Stack) -> None:
    kill_clients(stack, "SQLite", harness.sqlite_url(harness.sqlite_file(stack)))


if __name__ == "__main__":
    harness.main(clients_on_postgresql, clients_on_sqlite)
