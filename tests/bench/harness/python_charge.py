"""Charges from threads of one Python process; prints the figures as JSON.

python_charge.py URL THREADS ACCOUNTS WARM_UP SECONDS
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable

import accounting


def call_until_closed(call: Callable[[], object], opens: float, closes: float) -> list[float]:
    """The microseconds of each call that ended in between."""
    times: list[float] = []
    begin = time.perf_counter()
    while begin < closes:
        call()
        end = time.perf_counter()
        if opens <= end < closes:
            times.append((end - begin) * 1e6)
        begin = end
    return times


def main(url: str, threads: int, accounts: int, warm_up: float, seconds: float) -> None:
    users = [f"user-{number:05}" for number in range(1, accounts + 1)]
    told: list[list[float]] = [[] for _ in range(threads)]
    with accounting.open(url) as books:
        opens = time.perf_counter() + warm_up

        def caller(number: int) -> None:
            pick = random.Random(number)
            told[number] = call_until_closed(
                lambda: books.credits.charge(pick.choice(users), "chat", "atlas", 3),
                opens,
                opens + seconds,
            )

        running = [threading.Thread(target=caller, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    times = sorted(one for thread_times in told for one in thread_times)
    print(
        json.dumps(
            {
                "per_second": len(times) / seconds,
                "p50": times[len(times) // 2],
                "p99": times[len(times) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
