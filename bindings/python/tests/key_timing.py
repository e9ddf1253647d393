"""How long a wrong API key takes to be refused, by how much of it is right.

    python bindings/python/tests/key_timing.py

Every key has a right checksum, so that each is looked up in the database. They are tried in turn,
round after round, since noise comes in waves; printed are medians and their ratio to the first.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import zlib

import accounting

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM = 40
ROUNDS = 4_000


def with_checksum(body: str) -> str:
    """The text with the checksum that makes a key of it."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = ALPHABET[digit] + digits
    return body + digits


def right_up_to(key: str, count: int) -> str:
    """A key whose first `count` random characters are those of `key`, and whose others are not."""
    head = len("acct_") + count
    others = [
        ALPHABET[(ALPHABET.index(right) + 1) % 62] for right in key[head : len("acct_") + RANDOM]
    ]
    return with_checksum(key[:head] + "".join(others))


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        accounting.open(f"sqlite:///{folder}/books.db") as books,
    ):
        books.accounts.sync("ada", "ada@example.org", "Ada")
        keys = [books.api_keys.create("ada", "key").key for _ in range(100)]
        assert with_checksum(keys[0][:-6]) == keys[0]
        wrong = {count: right_up_to(keys[0], count) for count in (0, 10, 20, 30, 39)}
        taken: dict[int, list[float]] = {count: [] for count in wrong}
        for _ in range(ROUNDS):
            for count, key in wrong.items():
                begin = time.perf_counter()
                try:
                    books.api_keys.validate(key)
                except accounting.InvalidApiKey:
                    taken[count].append(time.perf_counter() - begin)
        assert all(len(times) == ROUNDS for times in taken.values())
        first = statistics.median(taken[0])
        for count, times in taken.items():
            middle = statistics.median(times)
            print(f"{count:2} of {RANDOM} right: {middle * 1e6:.2f} µs, ratio {middle / first:.3f}")


if __name__ == "__main__":
    main()
