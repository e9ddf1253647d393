"""The LiteLLM price map: US dollars per token, read and converted without a rounding."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Any

from accounting.cli.exits import Refused
from accounting.limits import FRACTIONAL_DIGITS, LARGEST_PRICE, LONGEST_MODEL_ID

__all__ = ["ModelPrices", "PriceMap", "amount", "read_price_map"]

_FIELDS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
}
_LEAST = Decimal(1).scaleb(-FRACTIONAL_DIGITS)

# The map describes its own format in an entry of this name.
_NOT_A_MODEL = "sample_spec"

# Wide enough for any product in range; an inexact one raises rather than rounds.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])


@dataclasses.dataclass(frozen=True)
class ModelPrices:
    """One model's prices, in credits per 1,000 tokens.

    Attributes:
        model_id: as in the file.
        input: of input tokens; None: not in the file; likewise the rest.
        output: of output tokens.
        cached_input: of input tokens that the provider read from its cache.
        rounded: which of them had more than 10 fractional digits.
    """

    model_id: str
    input: Decimal | None
    output: Decimal | None
    cached_input: Decimal | None
    rounded: tuple[str, ...] = ()

    def plain(self, choice: str) -> Decimal:
        """The price of tokens that come as one number, without kinds."""
        known = [price for price in (self.input, self.output) if price is not None]
        if choice == "highest":
            return max(known)
        chosen = self.output if choice == "output" else self.input
        return known[0] if chosen is None else chosen

    def cached(self, choice: str) -> Decimal | None:
        """The price of cached input: its own, else that of input, as providers charge it.

        None where the rule comes to the same without one.
        """
        if self.cached_input is not None or self.plain(choice) == self.input:
            return self.cached_input
        return self.input


@dataclasses.dataclass(frozen=True)
class PriceMap:
    """What a file holds.

    Attributes:
        models: in its order, those that can be used.
        skipped: model → why it is left out.
        inexact: "model: price" with more than 10 fractional digits, not rounded.
    """

    models: tuple[ModelPrices, ...]
    skipped: dict[str, str]
    inexact: tuple[str, ...]


def amount(text: str, name: str) -> Decimal:
    """A positive decimal that a person wrote.

    >>> amount("1000.5", "--credits-per-dollar")
    Decimal('1000.5')
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value <= LARGEST_PRICE or len(value.as_tuple().digits) > 40:
        raise Refused(f"{name}: expected a number above 0, not {text!r}")
    return value


def read_price_map(content: bytes, credits_per_dollar: Decimal, *, round_: bool) -> PriceMap:
    """The prices of a file in credits per 1,000 tokens.

    Args:
        content: JSON; numbers in it stay decimal from end to end.
        credits_per_dollar: how many credits a US dollar buys.
        round_: bring prices to 10 fractional digits, halves up.

    Raises:
        Refused: it is no price map, or a price in it is no number from 0 to 10^15.
    """
    models: list[ModelPrices] = []
    skipped: dict[str, str] = {}
    inexact: list[str] = []
    for model_id, entry in _entries(content).items():
        if why := _unusable(model_id, entry):
            skipped[model_id] = why
            continue
        exact = {
            kind: _price(entry[field], credits_per_dollar, f"{model_id}: {field}")
            for kind, field in _FIELDS.items()
            if entry.get(field) is not None
        }
        short = {kind: _shortened(price) for kind, price in exact.items()}
        rounded = tuple(kind for kind in exact if short[kind] != exact[kind])
        if not round_:
            inexact += [f"{model_id}: {kind} {_written(exact[kind])}" for kind in rounded]
        prices = (short.get("input"), short.get("output"), short.get("cached_input"))
        models.append(ModelPrices(model_id, *prices, rounded))
    return PriceMap(tuple(models), skipped, tuple(inexact))


def _entries(content: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(
            content,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_once,
        )
    except InvalidOperation:
        raise Refused("the file holds a number beyond all range", code="bad_prices") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"the file is no JSON: {error}", code="bad_prices") from None
    if not isinstance(entries, dict):
        raise Refused("expected a JSON object of models", code="bad_prices")
    return entries


def _unusable(model_id: str, entry: Any) -> str:
    if model_id == _NOT_A_MODEL:
        return "describes the format, is no model"
    if "\0" in model_id or any("\ud800" <= character <= "\udfff" for character in model_id):
        return "its id holds a NUL or half a surrogate pair"
    if not 1 <= len(model_id.encode()) <= LONGEST_MODEL_ID:
        return f"its id is not 1 to {LONGEST_MODEL_ID} bytes long"
    if not isinstance(entry, dict):
        return "expected an object of fields"
    if entry.get(_FIELDS["input"]) is None and entry.get(_FIELDS["output"]) is None:
        return "no price per input or output token"
    return ""


def _price(dollars: Any, credits_per_dollar: Decimal, where: str) -> Decimal:
    # Checked before it is multiplied: an exponent from a file may be of any size.
    if not isinstance(dollars, Decimal) or not dollars.is_finite() or dollars < 0:
        raise Refused(f"{where}: expected a number from 0", code="bad_prices")
    if not dollars:
        return Decimal(0)  # also for -0.0, whose sign no price has
    if not -100 <= dollars.adjusted() <= 15:
        raise Refused(f"{where}: out of range", code="bad_prices")
    try:
        with localcontext(_EXACT):
            price = dollars * 1000 * credits_per_dollar
    except Inexact:
        raise Refused(f"{where}: more digits than any price has", code="bad_prices") from None
    if price > LARGEST_PRICE:
        raise Refused(f"{where}: more than 10^15 credits per 1,000 tokens", code="bad_prices")
    return price


def _shortened(price: Decimal) -> Decimal:
    """To 10 fractional digits at most, and without zeros at the end."""
    with localcontext(Context(prec=200)):
        least = price.quantize(_LEAST, rounding=ROUND_HALF_UP).normalize()
    return least.quantize(Decimal(1)) if least == least.to_integral_value() else least


def _written(price: Decimal) -> str:
    digits = f"{price:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _refuse_constant(word: str) -> Decimal:
    raise ValueError(f"{word} is no number")


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: of two prices for one model, neither can be meant."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"{name!r} is there twice")
        result[name] = value
    return result
