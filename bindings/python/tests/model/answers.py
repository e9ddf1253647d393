"""The model's answers: dicts with the members that `to_dict` of the real values has."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from accounting.values import Value
from model.state import Allocation, Plain, Rule, Session, Usage


def plain(value: Any) -> Any:
    """Lists, dicts, numbers and text only: both the model's answers and the books' values."""
    if isinstance(value, Value):
        fields = dataclasses.fields(value)  # type: ignore[arg-type]
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (Decimal, Fraction)):
        return str(Fraction(value))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return value


def allocation_answer(allocation: Allocation) -> Plain:
    """A CreditAllocation."""
    answer: Plain = plain(dataclasses.asdict(allocation))
    return answer


def usage_answer(used: Usage) -> Plain:
    """A UsageRecord."""
    answer: Plain = plain(dataclasses.asdict(used))
    return answer


def slices_answer(slices: Iterable[tuple[Allocation, int]]) -> Plain:
    """A Deduction."""
    parts = [{"allocation_id": one.id, "credits": credits} for one, credits in slices]
    return {"credits": sum(part["credits"] for part in parts), "slices": parts}


def session_answer(session: Session) -> Plain:
    """A StreamingSession."""
    names = (
        "session_id", "user_id", "model_id", "status", "estimated_tokens", "reported_tokens",
        "estimated_credits", "allocated_credits", "used_credits", "started_at",
        "last_activity_at", "expires_at", "completed_at",
    )  # fmt: skip
    return {name: plain(getattr(session, name)) for name in names}


def rule_answer(rule: Rule) -> Plain:
    """A PricingRule."""
    answer = {
        "id": rule.id,
        "model_id": rule.model_id,
        "effective_from": rule.effective_from,
        "effective_to": rule.effective_to,
        "created_by": rule.created_by,
        **{name: getattr(rule.prices, name) for name in vars(rule.prices)},
    }
    return {name: plain(value) for name, value in answer.items()}
