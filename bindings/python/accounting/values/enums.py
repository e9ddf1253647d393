"""The enums. Each member is a str and equals the word that the database stores."""

from __future__ import annotations

import enum

__all__ = ["EntryKind", "OveragePolicy", "RefundPolicy", "Role", "SessionStatus"]


class _Word(str, enum.Enum):
    """`str()` and formatting give the stored word alone, in every version of Python."""

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        """As the word alone."""
        return str.__format__(self, format_spec)


class Role(_Word):
    """What an account's owner may do. Names in lower case, as in C++, mean the same members.

    >>> Role("admin") is Role.ADMIN is Role.admin
    True
    >>> print(Role.ADMIN)
    admin
    """

    USER = "user"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    user = USER
    supervisor = SUPERVISOR
    admin = ADMIN


class SessionStatus(_Word):
    """Where a streaming session stands: active, or how it ended.

    Names in lower case, as in C++, mean the same members.
    """

    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    EXPIRED = "expired"

    active = ACTIVE
    completed = COMPLETED
    failed = FAILED
    aborted = ABORTED
    expired = EXPIRED


class EntryKind(_Word):
    """What a journal entry did to its allocation.

    Names in lower case, as in C++, mean the same members.

    Attributes:
        ALLOCATE: credits came into being.
        DEDUCT: remaining → consumed, by `deduct`.
        CHARGE: remaining → consumed, by `charge`.
        HOLD: remaining → held, by `initialize` or `extend`.
        SETTLE: held → consumed, at the end of a session.
        REFUND: held → remaining, at the end of a session.
        MOVE: held → moved, into a refund allocation.
        OVERAGE: remaining → consumed, beyond a session's hold.
        REVOKE: remaining → revoked.
    """

    ALLOCATE = "allocate"
    DEDUCT = "deduct"
    CHARGE = "charge"
    HOLD = "hold"
    SETTLE = "settle"
    REFUND = "refund"
    MOVE = "move"
    OVERAGE = "overage"
    REVOKE = "revoke"

    allocate = ALLOCATE
    deduct = DEDUCT
    charge = CHARGE
    hold = HOLD
    settle = SETTLE
    refund = REFUND
    move = MOVE
    overage = OVERAGE
    revoke = REVOKE


class RefundPolicy(_Word):
    """Where the unused part of a hold goes when a session ends.

    Names in lower case, as in C++, mean the same members.

    Attributes:
        TO_SOURCE: back to the allocations it was held from, last taken first.
        NEW_ALLOCATION: into one new allocation, as the original service did.
    """

    TO_SOURCE = "to_source"
    NEW_ALLOCATION = "new_allocation"

    to_source = TO_SOURCE
    new_allocation = NEW_ALLOCATION


class OveragePolicy(_Word):
    """What happens to use beyond the hold.

    Names in lower case, as in C++, mean the same members.

    Attributes:
        CHARGE: taken from the balance in burn order; what it cannot cover is `uncollected`.
        ABSORB: nothing more is taken.
    """

    CHARGE = "charge"
    ABSORB = "absorb"

    charge = CHARGE
    absorb = ABSORB
