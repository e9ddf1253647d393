"""The limits that the package knows are the library's: each is taken, and one more refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounting import Accounting, InvalidArgument, limits

LIMITS: list[tuple[str, Any, Any, Callable[[Accounting, Any], object]]] = [
    ("credits", limits.LARGEST_CREDITS, limits.LARGEST_CREDITS + 1,
     lambda b, n: b.credits.allocate("ada", n, "admin")),
    ("expiry_days", limits.LARGEST_DAYS, limits.LARGEST_DAYS + 1,
     lambda b, n: b.credits.allocate("ada", 1, "admin", expiry_days=n)),
    ("notes", "x" * limits.LONGEST_NOTES, "x" * (limits.LONGEST_NOTES + 1),
     lambda b, text: b.credits.allocate("ada", 1, "admin", notes=text)),
    ("user_id", "x" * limits.LONGEST_NAME, "x" * (limits.LONGEST_NAME + 1),
     lambda b, text: b.accounts.sync(text, "x@example.org", "X")),
    ("allocated_by", "x" * limits.LONGEST_NAME, "x" * (limits.LONGEST_NAME + 1),
     lambda b, text: b.credits.allocate("ada", 1, text)),
    ("model_id", "x" * limits.LONGEST_MODEL_ID, "x" * (limits.LONGEST_MODEL_ID + 1),
     lambda b, text: b.pricing.set(text, 1, "admin")),
    ("price_per_1k_tokens", limits.LARGEST_PRICE, limits.LARGEST_PRICE + 1,
     lambda b, price: b.pricing.set("m", price, "admin")),
    ("price_per_1k_tokens", Decimal(1).scaleb(-limits.FRACTIONAL_DIGITS),
     Decimal(1).scaleb(-limits.FRACTIONAL_DIGITS - 1),
     lambda b, price: b.pricing.set("m", price, "admin")),
    ("limit", limits.MOST_AT_ONCE, limits.MOST_AT_ONCE + 1,
     lambda b, n: b.credits.history("ada", limit=n)),
    ("limit", limits.MOST_AT_ONCE, limits.MOST_AT_ONCE + 1,
     lambda b, n: b.sessions.expire_stale(n)),
]  # fmt: skip


@pytest.mark.parametrize(("argument", "taken", "refused", "call"), LIMITS)
def test_a_limit_is_the_librarys(
    memory: Accounting,
    argument: str,
    taken: Any,
    refused: Any,
    call: Callable[[Accounting, Any], object],
) -> None:
    call(memory, taken)
    with pytest.raises(InvalidArgument) as caught:
        call(memory, refused)
    assert caught.value.argument == argument
