"""What random calls are made of."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from accounting import Policy, TokenCounts

MICROSECOND = timedelta(microseconds=1)

# Few names, so that calls meet each other, and mostly arguments that will do: refusals are quickly
# tested. "nobody" never gets an account.
USERS = st.sampled_from(["ada"] * 8 + ["bob"] * 3 + ["eve", "nobody"])
SESSIONS = st.sampled_from(["s-1", "s-2", "s-3"])
MODELS = st.sampled_from(["m-1", "m-2", "m-3"])
KEYS = st.sampled_from([None, None, None, "k-1", "k-2"])
FEW = [1, 2, 3, 4, 5, 7, 8, 10, 11, 13, 17, 20, 29, 37, 50, 64, 90, 120]
CREDITS = st.sampled_from([*FEW, 0, -1, 10**15, 10**15 + 1])
MANY = [0, 1, 2, 30, 99, 100, 101, 333, 500, 999, 1_000, 1_001, 1_200, 1_500, 2_000, 2_500, 3_000]
NUMBERS = st.sampled_from(
    [*MANY, 4_000, 5_500, 7_777, 9_000, 12_000, 15_000, 30_000, -1, 10**12, 10**12 + 1]
)
SMALL = st.integers(0, 4_000)
COUNTS = st.builds(TokenCounts, SMALL, SMALL, SMALL)
TOKENS = st.one_of(NUMBERS, SMALL, COUNTS)
PRICES = st.sampled_from(
    [Decimal(text) for text in ("0", "0.0000000001", "0.25", "3", "7.5", "40")]
)
OWN_PRICES = st.one_of(st.none(), PRICES)
STEPS = st.sampled_from(
    [None, None]
    + [timedelta(microseconds=n) for n in (-1, 0, 1)]
    + [timedelta(hours=n) for n in (-30, -1, 1, 20, 48, 900)]
)
METADATA: st.SearchStrategy[Any] = st.sampled_from(
    [None, {"size": 512}, {"tags": ["a", 2.5, None]}, "text", 7, []]
)
SERVICES = st.sampled_from(["chat", "chat-batch", "chatter", "images"])
POLICIES = st.builds(
    Policy,
    buffer=st.sampled_from([2_000, 2_000, 0, 3_333]),
    allocation_expiry_days=st.sampled_from([30, 1]),
    refund=st.sampled_from(["to_source", "new_allocation"]),
    refund_expiry_days=st.sampled_from([30, 1]),
    overage=st.sampled_from(["charge", "absorb"]),
    default_prices=st.sampled_from([{"m-2": "3"}, {"m-2": "0.7"}, {}]),
    fallback_price=st.sampled_from(["10", "1", None]),
    session_ttl=st.sampled_from([timedelta(hours=1), timedelta(hours=30)]),
)
EXPIRIES = st.one_of(
    st.just({}),
    st.builds(lambda days: {"expiry_days": days}, st.sampled_from([1, 2, 30, 0, 1_000_001])),
    st.just({"never_expires": True}),
    st.builds(lambda step: {"expires_at": step}, STEPS),
    st.builds(lambda step: {"expires_at": step, "expiry_days": 1}, STEPS),
)
CLOCK_STEPS = st.sampled_from(
    [
        MICROSECOND,
        timedelta(seconds=0.25),
        timedelta(minutes=50),
        timedelta(hours=9),
        timedelta(days=3),
        -timedelta(seconds=2),
    ]
)

# Requests of the calls that take many.
ALLOCATIONS = st.builds(
    lambda user_id, credits, key, expiry: {
        "user_id": user_id, "credits": credits, "allocated_by": "admin", "idempotency_key": key,
        **expiry,
    },
    USERS,
    CREDITS,
    KEYS,
    st.sampled_from([{}, {}, {"expiry_days": 1}, {"expiry_days": 0}, {"never_expires": True}]),
)  # fmt: skip
USES = st.fixed_dictionaries(
    {"user_id": USERS, "service": SERVICES, "operation": MODELS, "credits": CREDITS,
     "metadata": METADATA, "idempotency_key": KEYS}
)  # fmt: skip
