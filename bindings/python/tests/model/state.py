"""What the model remembers, and how it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, TypeAlias

from accounting import Policy, TokenCounts

Tokens: TypeAlias = "int | TokenCounts"
Plain: TypeAlias = "dict[str, Any]"

LARGEST_CREDITS = 10**15
LARGEST_TOKENS = 10**12


class Refused(Exception):
    """A call that the rules refuse; it changed nothing."""

    def __init__(self, code: str, *amounts: int) -> None:
        """Take the error's code, and the credits required and available where it has them."""
        super().__init__(code, *amounts)
        self.code = code
        self.amounts = amounts


def refuse_unless(condition: bool, code: str) -> None:
    """Refuse with `code` where the condition does not hold."""
    if not condition:
        raise Refused(code)


def within(value: int, smallest: int, largest: int) -> None:
    """Refuse an argument that is out of its range."""
    refuse_unless(smallest <= value <= largest, "invalid_argument")


def ceiling(number: Fraction) -> int:
    """The smallest integer that is not less."""
    return -((-number.numerator) // number.denominator)


@dataclasses.dataclass
class Allocation:
    """Named as the columns."""

    id: int
    user_id: str
    total_credits: int
    remaining_credits: int
    allocated_by: str
    allocated_at: datetime
    effective_at: datetime
    expires_at: datetime | None
    notes: str
    held_credits: int = 0
    consumed_credits: int = 0
    revoked_credits: int = 0
    moved_credits: int = 0
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def active(self, now: datetime) -> bool:
        """Whether credits can be taken from it."""
        return (
            self.effective_at <= now
            and (self.expires_at is None or now < self.expires_at)
            and self.revoked_at is None
            and self.remaining_credits > 0
        )

    def burns_before(self) -> tuple[bool, float, datetime, int]:
        """Sorts in burn order: earliest expiry first, none last; then age, then id."""
        never = self.expires_at is None
        expiry = timedelta(0) if self.expires_at is None else self.expires_at - EPOCH
        return (never, expiry // timedelta(microseconds=1), self.allocated_at, self.id)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclasses.dataclass
class Usage:
    """Named as the columns."""

    id: int
    user_id: str
    timestamp: datetime
    service: str
    operation: str
    credits: int
    collected_credits: int
    metadata: Any


@dataclasses.dataclass
class Prices:
    """What tokens of one model cost at one time."""

    price_per_1k_tokens: Fraction
    input: Fraction | None = None
    output: Fraction | None = None
    cached_input: Fraction | None = None

    def credits(self, tokens: Tokens) -> int:
        """Sum over the kinds, divided by 1,000 and rounded up once."""
        if isinstance(tokens, int):
            total = tokens * self.price_per_1k_tokens
        else:
            total = Fraction(0)
            for kind in ("input", "output", "cached_input"):
                own = getattr(self, kind)
                price = self.price_per_1k_tokens if own is None else own
                total += getattr(tokens, kind) * price
        credits = ceiling(total / 1000)
        within(credits, 0, LARGEST_CREDITS)
        return credits


@dataclasses.dataclass
class Rule:
    """A pricing rule. `given_to` is the end that its author named, before another rule cut it."""

    id: int
    model_id: str
    prices: Prices
    effective_from: datetime
    effective_to: datetime | None
    given_to: datetime | None
    created_by: str


@dataclasses.dataclass
class Session:
    """A streaming session with what it keeps: its price, its policy, its slices."""

    session_id: str
    user_id: str
    model_id: str
    first_estimate: Tokens
    estimated_tokens: Tokens
    estimated_credits: int
    allocated_credits: int
    started_at: datetime
    last_activity_at: datetime
    prices: Prices
    policy: Policy
    slices: list[tuple[Allocation, int]] = dataclasses.field(default_factory=list)
    status: str = "active"
    reported_tokens: Tokens | None = None
    used_credits: int = 0
    completed_at: datetime | None = None
    ended_by: tuple[Any, ...] | None = None
    settlement: Plain | None = None

    @property
    def expires_at(self) -> datetime:
        """From when on it is stale."""
        return self.last_activity_at + self.policy.session_ttl


@dataclasses.dataclass
class Account:
    """An account and all that is its own."""

    user_id: str
    email: str
    username: str
    role: str
    created_at: datetime
    updated_at: datetime
    allocations: list[Allocation] = dataclasses.field(default_factory=list)
    usage: list[Usage] = dataclasses.field(default_factory=list)
    sessions: dict[str, Session] = dataclasses.field(default_factory=dict)
    keys: dict[str, tuple[object, Plain]] = dataclasses.field(default_factory=dict)
    # (allocation id, kind) -> summed changes of remaining and of held credits
    journal: dict[tuple[int, str], list[int]] = dataclasses.field(default_factory=dict)

    def burn_order(self, now: datetime) -> list[Allocation]:
        """The active allocations, the next to be taken from first."""
        active = [one for one in self.allocations if one.active(now)]
        return sorted(active, key=Allocation.burns_before)

    def available(self, now: datetime) -> int:
        """What can be spent."""
        return sum(one.remaining_credits for one in self.allocations if one.active(now))

    def note(self, allocation: Allocation, kind: str, credits: int, held: int = 0) -> None:
        """Add to the journal's sums."""
        sums = self.journal.setdefault((allocation.id, kind), [0, 0])
        sums[0] += credits
        sums[1] += held

    def take(self, credits: int, now: datetime, kind: str) -> list[tuple[Allocation, int]]:
        """Take credits in burn order, all or nothing, into consumed or (`hold`) held ones."""
        available = self.available(now)
        if available < credits:
            raise Refused("insufficient_credits", credits, available)
        slices = []
        for allocation in self.burn_order(now):
            part = min(credits, allocation.remaining_credits)
            if part == 0:
                break
            credits -= part
            allocation.remaining_credits -= part
            if kind == "hold":
                allocation.held_credits += part
            else:
                allocation.consumed_credits += part
            self.note(allocation, kind, -part, part if kind == "hold" else 0)
            slices.append((allocation, part))
        return slices


class State:
    """Everything, and the present instant."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        """Empty books."""
        self.policy = policy
        self.now = now
        self.accounts: dict[str, Account] = {}
        self.rules: dict[str, list[Rule]] = {}

    def account(self, user_id: str) -> Account:
        """The account, or NotFound."""
        refuse_unless(user_id in self.accounts, "not_found")
        return self.accounts[user_id]

    def every(self) -> Iterable[Account]:
        """All accounts, by id."""
        return (self.accounts[user_id] for user_id in sorted(self.accounts))
