"""Pricing rules: one line of time for each model."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from accounting import TokenCounts
from model.answers import rule_answer
from model.state import (
    LARGEST_TOKENS,
    Plain,
    Prices,
    Refused,
    Rule,
    State,
    Tokens,
    refuse_unless,
    within,
)


def check_tokens(tokens: Tokens) -> None:
    """0 to 10^12, of each kind."""
    kinds = (
        (tokens.input, tokens.output, tokens.cached_input)
        if isinstance(tokens, TokenCounts)
        else (tokens,)
    )
    for number in kinds:
        within(number, 0, LARGEST_TOKENS)


class PriceRules(State):
    """What `books.pricing` does."""

    def set_price(
        self,
        model_id: str,
        price_per_1k_tokens: Decimal,
        created_by: str,
        effective_from: datetime | None = None,
        effective_to: datetime | None = None,
        input: Decimal | None = None,
        output: Decimal | None = None,
        cached_input: Decimal | None = None,
    ) -> Plain:
        """Add a rule and close the open one, unless times collide."""
        start = self.now if effective_from is None else effective_from
        if effective_to is not None:
            refuse_unless(effective_to > start, "invalid_argument")
        own = [None if one is None else Fraction(one) for one in (input, output, cached_input)]
        prices = Prices(Fraction(price_per_1k_tokens), *own)
        rules = self.rules.setdefault(model_id, [])
        for rule in rules:
            if rule.effective_from == start:
                same = (rule.prices, rule.given_to, rule.created_by)
                refuse_unless(same == (prices, effective_to, created_by), "conflict")
                return rule_answer(rule)
        for rule in rules:
            if rule.effective_to is None:
                refuse_unless(start > rule.effective_from, "conflict")
            else:
                # Two rules never hold at once, whichever was set first.
                begins_after = start >= rule.effective_to
                ends_before = effective_to is not None and effective_to <= rule.effective_from
                refuse_unless(begins_after or ends_before, "conflict")
        for rule in rules:
            if rule.effective_to is None:
                rule.effective_to = start
        rule = Rule(len(rules) + 1, model_id, prices, start, effective_to, effective_to, created_by)
        rules.append(rule)
        return rule_answer(rule)

    def in_force(self, model_id: str, at: datetime | None) -> Rule | None:
        """The stored rule of an instant."""
        instant = self.now if at is None else at
        for rule in self.rules.get(model_id, []):
            if rule.effective_from <= instant and (
                rule.effective_to is None or instant < rule.effective_to
            ):
                return rule
        return None

    def get_price(self, model_id: str, at: datetime | None = None) -> Plain:
        """Stored rules only."""
        rule = self.in_force(model_id, at)
        if rule is None:
            raise Refused("price_not_found")
        return rule_answer(rule)

    def list_prices(self, model_id: str | None = None) -> list[Plain]:
        """By model and start."""
        rules = [
            rule
            for model, rules in self.rules.items()
            for rule in rules
            if model_id is None or model == model_id
        ]
        rules.sort(key=lambda rule: (rule.model_id, rule.effective_from))
        return [rule_answer(rule) for rule in rules]

    def prices(self, model_id: str, at: datetime | None = None) -> Prices:
        """A stored rule, else the policy's default prices, else its fallback price."""
        rule = self.in_force(model_id, at)
        if rule is not None:
            return rule.prices
        price = self.policy.default_prices.get(model_id, self.policy.fallback_price)
        if price is None:
            raise Refused("price_not_found")
        return Prices(Fraction(price))

    def calculate(self, model_id: str, tokens: Tokens, at: datetime | None = None) -> int:
        """What tokens cost."""
        check_tokens(tokens)
        return self.prices(model_id, at).credits(tokens)
