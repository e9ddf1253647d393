"""Pricing: which model costs how much, from when until when."""

from __future__ import annotations

import builtins
from datetime import datetime
from decimal import Decimal

from accounting import _core
from accounting.values import PricingRule, TokenCounts

__all__ = ["Pricing"]


class Pricing:
    """Versioned prices, in credits per 1,000 tokens.

    A price is a str, Decimal or int from 0 to 10^15 with at most 10 fractional digits; never a
    float, which could not hold it. Aware datetimes lie in the years 1970 to 9999. Thread-safe;
    keeps the books open. Every call may raise InvalidArgument and StoreError.

    >>> import accounting
    >>> books = accounting.open("sqlite://")
    >>> books.pricing.set("some-model", "0.25", created_by="admin").price_per_1k_tokens
    Decimal('0.25')
    >>> books.pricing.calculate("some-model", 1_200)
    1
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Pricing) -> None:
        """For `books.pricing`; not for callers."""
        self._core = core

    def set(
        self,
        model_id: str,
        price_per_1k_tokens: str | Decimal | int,
        created_by: str,
        effective_from: datetime | None = None,
        effective_to: datetime | None = None,
        input: str | Decimal | int | None = None,
        output: str | Decimal | int | None = None,
        cached_input: str | Decimal | int | None = None,
    ) -> PricingRule:
        """Add a rule and close the open one at its start. The same rule again: the stored one.

        Args:
            model_id: 1 to 100 bytes.
            price_per_1k_tokens: of tokens given as a number, and of kinds without a price below.
            created_by: who sets it: 1 to 50 bytes; need not be an account.
            effective_from: an aware datetime, past or future; None: now.
            effective_to: an aware datetime after `effective_from`; None: until the next rule.
            input: own price of input tokens.
            output: own price of output tokens.
            cached_input: own price of cached input tokens.

        Raises:
            Conflict: it starts before the open rule or inside a closed one, or at the same time as
                one with other values.
        """
        return self._core.set(
            model_id,
            price_per_1k_tokens,
            created_by,
            effective_from,
            effective_to,
            input,
            output,
            cached_input,
        )

    def get(self, model_id: str, at: datetime | None = None) -> PricingRule:
        """The stored rule in force at an aware datetime; None: now.

        Raises:
            PriceNotFound: there is none.
        """
        return self._core.get(model_id, at)

    def list(self, model_id: str | None = None) -> builtins.list[PricingRule]:
        """All rules, or one model's, by model and start."""
        return self._core.list(model_id)

    def calculate(
        self, model_id: str, tokens: int | TokenCounts, at: datetime | None = None
    ) -> int:
        """What tokens cost in credits, rounded up once.

        By the stored rule in force, else the policy's default prices, else its fallback price.

        Args:
            model_id: which model.
            tokens: 0 to 10^12, or a TokenCounts.
            at: an aware datetime; None: now.

        Raises:
            PriceNotFound: none of them covers the model.
            InvalidArgument: also where the result is above 10^15 credits.
        """
        return self._core.calculate(model_id, tokens, at)
