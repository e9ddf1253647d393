"""Pricing rules, as several commands look at them."""

from __future__ import annotations

from datetime import datetime

from accounting.values import PricingRule

__all__ = ["in_force"]


def in_force(rule: PricingRule, at: datetime) -> bool:
    """Whether the rule holds at an instant."""
    return rule.effective_from <= at and (rule.effective_to is None or at < rule.effective_to)
