#!/usr/bin/env python3
"""Several processes on one database, transfers between accounts in their mix, audited meanwhile."""

import harness

SECONDS = 60 if harness.LONG else 4
PROCESSES = 4
THREADS = 4


def bank_on_postgresql(stack: harness.Stack) -> None:
    url = harness.postgresql_database(stack)
    arena = harness.Arena(stack, url, accounts=10, session_ttl=500)
    workers = [arena.start(threads=THREADS, seconds=SECONDS) for _ in range(PROCESSES)]
    watch = harness.Worker(stack, "watch", url, seconds=SECONDS).finish()
    played = harness.sum_of([worker.finish() for worker in workers])
    deadlocks = int(
        harness.sql(
            url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )[0]
    )
    audit = arena.audit()
    harness.say(
        f"processes={PROCESSES} threads={THREADS} seconds={SECONDS} {played} "
        f"deadlocks={deadlocks}; watch: {watch}; audit: {audit}"
    )
    harness.check(deadlocks == 0, "accounts were locked crosswise")
    harness.check(played["failed"] + played["unknown"] == 0, "calls failed on a healthy database")
    harness.check(audit["transfers"] > 0, "nothing was moved between accounts")
    harness.check(watch["audits"] >= 2, "there was no audit beside the work")


if __name__ == "__main__":
    harness.main(bank_on_postgresql)
