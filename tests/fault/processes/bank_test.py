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
# All calls meet on one, transfers often meet crosswise on a few, and batches are long with many.
# A sanitizer takes too long over an audit of a thousand to make ten in a second.
ACCOUNTS = (1, 10, 100 if harness.SANITIZED else 1_000)
ROUNDS = 20 if harness.LONG else 1
SECONDS = 3 if harness.LONG else 2
AGAIN = 4  # rounds at most
AUDITS_A_SECOND = 10

Database = collections.abc.Callable[[harness.Stack], str]


def deadlocks_of(url: str) -> int:
    # What a backend counted is told to the statistics when it ends.
    harness.wait_until_left(url)
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(harness.sql(url, query)[0])


def play_round(stack: harness.Stack, url: str, accounts: int) -> harness.Figures:
    arena = harness.Arena(stack, url, accounts=accounts, session_ttl=500)
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


def play(database: Database, accounts: int) -> None:
    rounds: list[harness.Figures] = []
    for _ in range(ROUNDS + AGAIN):
        with contextlib.ExitStack() as stack:
            figures = play_round(stack, database(stack), accounts)
        check_calls(figures)
        moved = figures["transfers"] > 0 or accounts == 1
        if rate_of(figures) >= AUDITS_A_SECOND and moved:
            rounds.append(figures)
        else:
            harness.say(f"a round does not count: {figures}")
        if len(rounds) == ROUNDS:
            break
    harness.check(len(rounds) == ROUNDS, "there was too little work, or too few audits beside it")
    total = harness.sum_of(rounds)
    harness.say(
        f"accounts={accounts} processes={PROCESSES} threads={THREADS} rounds={ROUNDS} "
        f"seconds={SECONDS} {total}: {rate_of(total):.1f} audits a second"
    )


def check_calls(total: harness.Figures) -> None:
    harness.check(total["deadlocks"] == 0, "accounts were locked crosswise")
    harness.check(total["failed"] + total["unknown"] == 0, "calls failed on a healthy database")


def sqlite_database(stack: harness.Stack) -> str:
    return harness.sqlite_url(harness.sqlite_file(stack))


def bank(place: str, database: Database, accounts: int) -> harness.Test:
    def test(_stack: harness.Stack) -> None:
        play(database, accounts)

    test.__name__ = f"bank_of_{accounts}_on_{place}"
    return test


if __name__ == "__main__":
    harness.main(
        *(bank("postgresql", harness.postgresql_database, accounts) for accounts in ACCOUNTS),
        *(bank("sqlite", sqlite_database, accounts) for accounts in ACCOUNTS),
    )
