"""What Python adds to a charge stays below the bar."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from charge_cost import NotBuilt, measure

BAR = 20  # microseconds
NOISE = 2
TRIES = 4  # a machine that is busy with something else makes everything dearer for a while


def test_python_adds_at_most_20_microseconds_to_a_charge(say: Callable[[str], None]) -> None:
    for _ in range(TRIES):
        try:
            cost = measure()
        except NotBuilt as reason:
            pytest.skip(f"SKIPPED: {reason}")
        say(str(cost))
        if -NOISE < cost.overhead <= BAR:
            break
    assert cost.overhead <= BAR
    # Python does all that C++ does: a negative overhead compares unlike things.
    assert cost.overhead > -NOISE
