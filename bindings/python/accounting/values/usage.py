"""Usage records, statistics over them, and prices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounting.values.base import Value

__all__ = ["PricingRule", "SystemStats", "UsageRecord", "UserStats"]


@dataclasses.dataclass(frozen=True, slots=True)
class UsageRecord(Value):
    """What was used, when, and what it cost.

    Attributes:
        id: counts from 1 within the account.
        user_id: who used it.
        timestamp: when, in UTC.
        service: for example "chat-streaming".
        operation: what of the service; the model id for chat.
        credits: what the use cost.
        collected_credits: what allocations paid for it; less than `credits` where the balance was
            short, 0 where the use was only recorded.
        metadata: any JSON value, as it was given; None: none. Its dicts and lists cannot be
            changed; `to_dict` gives copies that can.
    """

    id: int
    user_id: str
    timestamp: datetime
    service: str
    operation: str
    credits: int
    collected_credits: int
    metadata: Any


@dataclasses.dataclass(frozen=True, slots=True)
class UserStats(Value):
    """One account's use over a range of time. Each map adds up to the total, but `by_model`.

    Attributes:
        total_records: usage records in the range.
        total_credits: what they cost.
        by_service: service → credits.
        by_day: UTC day, "YYYY-MM-DD" → credits.
        by_model: model → credits, of the services `chat` and `chat-…` only, however they ended.
        recent_activity: the newest 10 records of the range, newest first.
    """

    total_records: int
    total_credits: int
    by_service: Mapping[str, int]
    by_day: Mapping[str, int]
    by_model: Mapping[str, int]
    recent_activity: tuple[UsageRecord, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SystemStats(Value):
    """All accounts' use over a range of time. Each map adds up to the total, but `by_model`.

    Attributes:
        total_records: usage records in the range.
        total_credits: what they cost.
        by_user: user_id → credits.
        by_service: service → credits.
        by_day: UTC day, "YYYY-MM-DD" → credits.
        by_model: model → credits, of the services `chat` and `chat-…` only, however they ended.
    """

    total_records: int
    total_credits: int
    by_user: Mapping[str, int]
    by_service: Mapping[str, int]
    by_day: Mapping[str, int]
    by_model: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class PricingRule(Value):
    """A model's price during [effective_from, effective_to).

    Attributes:
        id: counts from 1 within the model.
        model_id: which model.
        price_per_1k_tokens: credits per 1,000 tokens, exact.
        input: own price of input tokens; None: `price_per_1k_tokens`.
        output: own price of output tokens; None: `price_per_1k_tokens`.
        cached_input: own price of cached input tokens; None: `price_per_1k_tokens`.
        effective_from: in UTC.
        effective_to: in UTC; None: until the next rule.
        created_by: who set it.
    """

    id: int
    model_id: str
    price_per_1k_tokens: Decimal
    input: Decimal | None
    output: Decimal | None
    cached_input: Decimal | None
    effective_from: datetime
    effective_to: datetime | None
    created_by: str
