"""A pytest plugin: books in memory, a clock that stands still, and balances compared in full.

Installed with the package; inert unless a test asks for one of its fixtures.

    from accounting.pytest_plugin import assert_balance

    def test_a_chat_costs_nine(accounting_books, manual_clock):
        accounting_books.accounts.sync("ada", "ada@example.org", "Ada")
        accounting_books.credits.allocate("ada", 1_000, allocated_by="admin")
        before = accounting_books.credits.balance("ada")
        manual_clock.advance(days=1)
        assert_balance(accounting_books, "ada", before)

The fixture `accounting_policy` says which billing rules the books follow: define one of that name
in a test module or conftest.py to choose others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import zip_longest

import pytest

import accounting
from accounting import Accounting, Balance, ManualClock, Policy

__all__ = ["accounting_books", "accounting_policy", "assert_balance", "manual_clock"]


@pytest.fixture
def manual_clock() -> ManualClock:
    """The clock of `accounting_books`, at 2026-01-01T00:00:00 UTC until it is moved."""
    return ManualClock(datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.fixture
def accounting_policy() -> Policy:
    """The billing rules of `accounting_books`: the default ones. Override it to choose others."""
    return Policy()


@pytest.fixture
def accounting_books(manual_clock: ManualClock, accounting_policy: Policy) -> Iterator[Accounting]:
    """Empty books in memory, each test its own, with `manual_clock` as their clock."""
    with accounting.open("sqlite://", policy=accounting_policy, clock=manual_clock) as books:
        yield books


def assert_balance(
    books: Accounting,
    user_id: str,
    expected: Balance | None = None,
    *,
    total_credits: int | None = None,
    held_credits: int | None = None,
) -> None:
    """Fail unless the account's balance is as expected, showing both side by side.

    Args:
        books: on which.
        user_id: whose.
        expected: the whole balance, for example one read earlier.
        total_credits: only what can be spent.
        held_credits: only what sessions hold.

    Raises:
        AssertionError: it differs.
        TypeError: nothing, or a balance and numbers as well, is expected.
        NotFound: no such account.
    """
    __tracebackhide__ = True
    given = {"total_credits": total_credits, "held_credits": held_credits}
    numbers = {name: number for name, number in given.items() if number is not None}
    if (expected is None) != bool(numbers):
        raise TypeError(
            "expect either a Balance, or total_credits and held_credits, or one of both"
        )
    found = books.credits.balance(user_id)
    rows: list[tuple[str, str | None]]
    if expected is None:
        right = all(getattr(found, name) == number for name, number in numbers.items())
        rows = [(line, _number(line, numbers)) for line in _lines(found)]
    else:
        right = found == expected
        pairs = zip_longest(_lines(found), _lines(expected), fillvalue="")
        rows = [(ours, theirs) for ours, theirs in pairs]
    if not right:
        head = f"the balance of {user_id!r} is not as expected"
        raise AssertionError("\n".join([head, *_side_by_side(rows)]))


def _lines(balance: Balance) -> list[str]:
    """A balance for people, a fact a line, and every fact."""
    lines = [f"total_credits {balance.total_credits:,}", f"held_credits {balance.held_credits:,}"]
    for one in balance.active_allocations:
        lines.append(f"allocation {one.id} by {one.allocated_by}")
        for name, value in one.to_dict().items():
            if name.endswith("_credits"):
                lines.append(f"  {name} {value:,}")
            elif name.endswith("_at") and value is not None:
                lines.append(f"  {name} {value}")
            elif name == "notes" and value:
                lines.append(f"  notes {value!r}")
    return lines


def _number(line: str, numbers: dict[str, int]) -> str | None:
    """What the line should say; None: nothing was expected of it."""
    name = line.split(" ", 1)[0]
    return f"{name} {numbers[name]:,}" if name in numbers else None


def _side_by_side(rows: list[tuple[str, str | None]]) -> list[str]:
    """Two columns; rows that differ are marked."""
    width = max(len(ours) for ours, _ in [("found", ""), *rows])
    table = [f"  {'found':{width}}   expected"]
    for ours, theirs in rows:
        mark = " " if theirs is None or theirs == ours else ">"
        table.append(f"{mark} {ours:{width}}   {theirs or ''}".rstrip())
    return table
