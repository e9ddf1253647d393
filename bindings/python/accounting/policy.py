"""The billing rules that a host may choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from accounting import _core
from accounting.errors import InvalidArgument
from accounting.frozen import FrozenDict
from accounting.values import OveragePolicy, RefundPolicy, Value

__all__ = ["Policy"]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy(Value):
    """The billing rules, a plain value. A session keeps the one that it began with.

    Ranges are checked when books are opened with it.

    Attributes:
        buffer: held beyond a session's estimate, in basis points: 0 to 1,000,000; 2000 is 20 %.
        allocation_expiry_days: life of an allocation that names no expiry: 1 to 1,000,000 days.
        refund: where the unused part of a hold goes. Also taken as its word.
        refund_expiry_days: life of a refund under `NEW_ALLOCATION`: 1 to 1,000,000 days.
        overage: what happens to use beyond the hold. Also taken as its word.
        default_prices: model → credits per 1,000 tokens, for models that have no stored rule; each
            a str, Decimal or int.
        fallback_price: for every other model: str, Decimal or int; None refuses an unpriced model.
        session_ttl: how long a session may go without a sign of life before `expire_stale` may end
            it: more than 0, at most 1,000,000 days.

    >>> Policy(fallback_price="0.5").fallback_price
    Decimal('0.5')
    >>> Policy(fallback_price=0.1)
    Traceback (most recent call last):
    accounting.errors.InvalidArgument: fallback_price: expected a str, a Decimal or an int: \
a float cannot hold every price exactly, so write "0.1" or Decimal("0.1")
    """

    buffer: int = 2_000
    allocation_expiry_days: int = 30
    refund: RefundPolicy = RefundPolicy.TO_SOURCE
    refund_expiry_days: int = 30
    overage: OveragePolicy = OveragePolicy.CHARGE
    default_prices: Mapping[str, Decimal | str | int] = dataclasses.field(
        default_factory=FrozenDict
    )
    fallback_price: Decimal | str | int | None = None
    session_ttl: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        """Bring words and prices into one form, so that equal policies compare equal."""
        keep = object.__setattr__
        keep(self, "refund", _member(RefundPolicy, self.refund, "refund"))
        keep(self, "overage", _member(OveragePolicy, self.overage, "overage"))
        if not isinstance(self.default_prices, Mapping):
            raise InvalidArgument("default_prices", "a dict of model ids and prices")
        prices = {
            model_id: _core.price(price, f"default_prices[{model_id!r}]")
            for model_id, price in self.default_prices.items()
        }
        keep(self, "default_prices", FrozenDict(prices))
        if self.fallback_price is not None:
            keep(self, "fallback_price", _core.price(self.fallback_price, "fallback_price"))

    @classmethod
    def original(cls) -> Policy:
        """The rules of the TypeScript service that this library replaces.

        >>> Policy.original().overage
        <OveragePolicy.ABSORB: 'absorb'>
        """
        return cls(**_core.original_policy())


def _member(enum_class: type[RefundPolicy | OveragePolicy], word: object, name: str) -> object:
    try:
        return enum_class(word)
    except ValueError:
        words = " or ".join(f'"{member.value}"' for member in enum_class)
        raise InvalidArgument(name, f"{words}, not {word!r}") from None
