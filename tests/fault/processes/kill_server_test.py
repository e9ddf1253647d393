#!/usr/bin/env python3
"""The server killed under load: nothing acknowledged is lost, and work goes on when it is back."""

import time

import harness
import server

KILLS = 20 if harness.LONG else 2
PROCESSES = 2
THREADS = 4
LONGEST_SILENCE = 5


def kill_postmaster(stack: harness.Stack) -> None:
    cluster = server.Server(stack)
    # Were the library content with this default, the server would forget what it acknowledged.
    cluster.set_up("synchronous_commit=off", "wal_writer_delay=10s")
    arena = harness.Arena(stack, cluster.url(), accounts=5, session_ttl=2_000)
    workers = [arena.start(threads=THREADS) for _ in range(PROCESSES)]
    longest_silence = longest_start = 0.0
    for _ in range(KILLS):
        arena.wait_for_work(workers, 20)
        time.sleep(harness.dice.uniform(0, 0.5))
        cluster.kill()
        longest_start = max(longest_start, cluster.start_again())
        longest_silence = max(longest_silence, arena.wait_for_work(workers, 1))
    played = harness.sum_of([worker.stop() for worker in workers])
    audit = arena.audit()
    harness.say(
        f"kills={KILLS} longest_start_ms={1_000 * longest_start:.0f} "
        f"longest_silence_ms={1_000 * longest_silence:.0f} {played}; audit: {audit}"
    )
    harness.check(longest_silence <= LONGEST_SILENCE, "work did not go on when the server was back")
    harness.check(played["retries"] > 0, "no call met a dead server")
    harness.check(played["failed"] + played["unknown"] == 0, "a call failed for good")


if __name__ == "__main__":
    harness.main(kill_postmaster)
