"""The pytest plugin, used by tests of its own."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from accounting import pytest_plugin

pytest_plugins = ["pytester"]


def run(pytester: pytest.Pytester, text: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    # Warnings name the finder of an editable installation, which is none of the plugin's doing.
    return pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "--disable-warnings")


def test_every_test_has_its_own_books_and_clock(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest
        from datetime import datetime, timezone

        @pytest.mark.parametrize("turn", [1, 2])
        def test_fresh(accounting_books, manual_clock, turn):
            assert manual_clock.now() == datetime(2026, 1, 1, tzinfo=timezone.utc)
            assert accounting_books.accounts.sync("ada", "a@example.org", "Ada").created
            manual_clock.advance(days=1)
            assert accounting_books.health().time == manual_clock.now()
        """,
    )
    result.assert_outcomes(passed=2)


def test_the_policy_can_be_chosen(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest
        from accounting import Policy

        @pytest.fixture
        def accounting_policy():
            return Policy(fallback_price="7")

        def test_price(accounting_books):
            assert accounting_books.pricing.calculate("m", 1_000) == 7
        """,
    )
    result.assert_outcomes(passed=1)


BALANCES = """
import pytest
from accounting.pytest_plugin import assert_balance

@pytest.fixture
def books(accounting_books):
    accounting_books.accounts.sync("ada", "a@example.org", "Ada")
    accounting_books.credits.allocate("ada", 1_000, "admin")
    return accounting_books
"""


def test_equal_balances_pass(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        BALANCES
        + """
def test_equal(books):
    before = books.credits.balance("ada")
    assert_balance(books, "ada", before)
    assert_balance(books, "ada", total_credits=1_000)
    assert_balance(books, "ada", total_credits=1_000, held_credits=0)
    with pytest.raises(TypeError):
        assert_balance(books, "ada")
    with pytest.raises(TypeError):
        assert_balance(books, "ada", before, total_credits=1)
""",
    )
    result.assert_outcomes(passed=1)


def test_a_failure_shows_both_balances_side_by_side(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        BALANCES
        + """
def test_whole(books):
    before = books.credits.balance("ada")
    books.credits.deduct("ada", 40)
    assert_balance(books, "ada", before)

def test_numbers(books):
    assert_balance(books, "ada", total_credits=1_001, held_credits=0)
""",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E*the balance of 'ada' is not as expected",
            "E*  found * expected",
            "E*> total_credits 960 * total_credits 1,000",
            "E*  held_credits 0 * held_credits 0",
            "E*  allocation 1 by admin * allocation 1 by admin",
            "E*>   remaining_credits 960 *   remaining_credits 1,000",
            "E*>   consumed_credits 40 *   consumed_credits 0",
            "E*> total_credits 1,000 * total_credits 1,001",
            "E*  held_credits 0 * held_credits 0",
            "E*  allocation 1 by admin",
        ]
    )
    # The failure points at the test, not into the helper.
    assert "pytest_plugin.py:" not in result.stdout.str()


def test_inert_unless_used(pytester: pytest.Pytester) -> None:
    """It has fixtures and nothing else: no hook, no option, nothing that runs by itself."""
    names = [name for name in vars(pytest_plugin) if name.startswith("pytest_")]
    assert names == []
    result = run(pytester, "def test_plain(): pass")
    result.assert_outcomes(passed=1)
    assert "accounting" not in result.stdout.str()


def test_installed_with_the_package() -> None:
    names = {point.value for point in entry_points(group="pytest11")}
    assert "accounting.pytest_plugin" in names
