"""Streaming sessions and how they settle."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from accounting.values.base import Value
from accounting.values.enums import SessionStatus

__all__ = ["Settlement", "StreamingSession", "TokenCounts"]


@dataclasses.dataclass(frozen=True, slots=True)
class TokenCounts(Value):
    """Tokens by kind, each 0 to 10^12, each at its own price where the model has one.

    The kinds are disjoint: a cached input token is not counted in `input` as well. Wherever an
    argument is a number of tokens, a TokenCounts will do.

    >>> TokenCounts(input=900, output=300)
    TokenCounts(input=900, output=300, cached_input=0)
    """

    input: int = 0
    output: int = 0
    cached_input: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class StreamingSession(Value):
    """Credits held while an answer is generated.

    Attributes:
        session_id: unique within the account.
        user_id: who pays.
        model_id: what generates.
        status: active, or how it ended.
        estimated_tokens: the first estimate and all extensions, in the form that it began with.
        reported_tokens: the largest reported, of each kind; None: no report.
        estimated_credits: what the estimate costs.
        allocated_credits: what was held: the estimate and the policy's buffer.
        used_credits: what the tokens cost; 0 while active.
        started_at: in UTC.
        last_activity_at: the last sign of life (initialize, report, extend), in UTC.
        expires_at: from when on `expire_stale` may end it, unless it ended before; in UTC.
        completed_at: in UTC; None while active.
    """

    session_id: str
    user_id: str
    model_id: str
    status: SessionStatus
    estimated_tokens: int | TokenCounts
    reported_tokens: int | TokenCounts | None
    estimated_credits: int
    allocated_credits: int
    used_credits: int
    started_at: datetime
    last_activity_at: datetime
    expires_at: datetime
    completed_at: datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Settlement(Value):
    """What the end of a session came to.

    Under the `charge` policy allocated + overage = actual + refund.

    Attributes:
        user_id: who paid.
        session_id: which session.
        status: completed, failed, aborted or expired.
        estimated_credits: what the estimate cost.
        allocated_credits: what was held.
        actual_credits: what the tokens cost at the session's price.
        refund: max(0, allocated - actual): what went back.
        overage: max(0, actual - allocated).
        uncollected: the part of the overage that the balance could not cover.
    """

    user_id: str
    session_id: str
    status: SessionStatus
    estimated_credits: int
    allocated_credits: int
    actual_credits: int
    refund: int
    overage: int
    uncollected: int
