#!/usr/bin/env python3
"""Several processes on one database, transfers between accounts in their mix, audited meanwhile.

The time is divided into rounds on fresh databases, so that an audit stays a matter of milliseconds.
A round in which the machine stood still counts for nothing, and is played again.
"""

import collections.abc
import contextlib

import harness

PROCESSES = 4
THREADS = 4
AUDITORS = 3
ROUNDS = 20 if harness.LONG else 1
SECONDS = 3 if harness.LONG else 2
AGAIN = 4  # rounds at most
AUDITS_A_SECOND = 10


def deadlocks_of(url: str) -> int:
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(harness.sql(url, query)[0])


def play_round(stack: harness.Stack, url: str) -> harness.Figures:
    arena = harness.Arena(stack, url, accounts=10, session_ttl=500)
    pace = harness.temporary_directory(stack) / "audits"
    workers = [arena.start(threads=THREADS, seconds=SECONDS, pace=pace) for _ in range(PROCESSES)]
    auditors = [
        harness.Worker(stack, "watch", url, seconds=SECONDS, pace=pace) for _ in range(AUDITORS)
    ]
    watched = [auditor.finish() for auditor in auditors]
    played = harness.sum_of([worker.finish() for worker in workers])
    played["deadlocks"] = deadlocks_of(url) if url.startswith("postgresql") else 0
    judged = arena.audit()
    played["transfers"] = judged["transfers"]
    played["entries"] = judged["entries"]
    played["audits"] = sum(watch["audits"] for watch in watched)
    played["audit_ms"] = max(watch["milliseconds"] for watch in watched)
    return played


def rate_of(figures: harness.Figures) -> float:
    return figures["audits"] * 1000 / figures["audit_ms"]


def play(database: collections.abc.Callable[[harness.Stack], str]) -> None:
    rounds: list[harness.Figures] = []
    for _ in range(ROUNDS + AGAIN):
        with contextlib.ExitStack() as stack:
            figures = play_round(stack, database(stack))
        check_calls(figures)
        if rate_of(figures) >= AUDITS_A_SECOND and figures["transfers"] > 0:
            rounds.append(figures)
        else:
            harness.say(f"a round does not count: {figures}")
        if len(rounds) == ROUNDS:
            break
    harness.check(len(rounds) == ROUNDS, "there was too little work, or too few audits beside it")
    total = harness.sum_of(rounds)
    harness.say(
        f"processes={PROCESSES} threads={THREADS} rounds={ROUNDS} seconds={SECONDS} {total}: "
        f"{rate_of(total):.1f} audits a second"
    )


def check_calls(total: harness.Figures) -> None:
    harness.check(total["deadlocks"] == 0, "accounts were locked crosswise")
    harness.check(total["failed"] + total["unknown"] == 0, "calls failed on a healthy database")


def bank_on_postgresql(_stack: harness.Stack) -> None:
    play(harness.postgresql_database)


def bank_on_sqlite(_stack: harness.Stack) -> None:
    play(lambda stack: harness.sqlite_url(harness.sqlite_file(stack)))


if __name__ == "__main__":
    harness.main(bank_on_postgresql, bank_on_sqlite)
