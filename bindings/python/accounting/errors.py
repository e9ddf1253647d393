"""What the library raises: one root, a stable code each, and whether to try again.

After any error but `OutcomeUnknown` nothing was changed.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AccountingError",
    "Conflict",
    "ConnectionLost",
    "Forbidden",
    "InsufficientCredits",
    "InvalidApiKey",
    "InvalidArgument",
    "MigrationError",
    "NotFound",
    "OutcomeUnknown",
    "PriceNotFound",
    "SessionClosed",
    "StoreError",
    "Unauthenticated",
]


class AccountingError(Exception):
    """The root of everything that the library raises.

    The message is a sentence for people and never contains a secret.

    Attributes:
        code: the stable lower-case word of the kind, for example "insufficient_credits".
        retryable: whether the same call may be made again without a risk of taking effect twice,
            and may then succeed.
    """

    code: ClassVar[str] = "accounting_error"
    retryable: bool

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        """Take the message, and whether the same call may be made again."""
        super().__init__(message)
        self.retryable = retryable

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by class and attributes: the constructors differ."""
        return _rebuilt, (type(self), self.args, self.__dict__.copy())


def _rebuilt(
    error_class: type[AccountingError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> AccountingError:
    error = error_class.__new__(error_class)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InvalidArgument(AccountingError, ValueError):
    """An argument is missing, too long, malformed, out of range or of the wrong type.

    Attributes:
        argument: its name, for example "expires_at"; "requests[2].credits" in requests that
            happen all or none. Of an error that `charge_many` answers, "credits" alone.
        expected: what it may be, for example "a number from 1 to 1000".
    """

    code = "invalid_argument"
    argument: str
    expected: str

    def __init__(self, argument: str, expected: str) -> None:
        """Take the argument's name and what it may be."""
        super().__init__(f"{argument}: expected {expected}")
        self.argument = argument
        self.expected = expected


class NotFound(AccountingError, LookupError):
    """The account, session, allocation or key that was named is not there."""

    code = "not_found"


class Conflict(AccountingError):
    """The request contradicts what is stored.

    A key or a session id was used for something else, or a price is for a time that has one. Also
    raised for calls on books or transactions that are closed.
    """

    code = "conflict"


class SessionClosed(Conflict):
    """The session has ended, by another call or with other arguments."""

    code = "session_closed"


class InsufficientCredits(AccountingError):
    """The active allocations do not cover the amount. Nothing was taken.

    Attributes:
        required: credits that the call needed.
        available: credits that were active in the account.
    """

    code = "insufficient_credits"
    required: int
    available: int

    def __init__(self, required: int, available: int) -> None:
        """Take the credits that were needed and those that were there."""
        super().__init__(f"the call needs {required} credits and {available} are available")
        self.required = required
        self.available = available


class PriceNotFound(AccountingError):
    """No pricing rule, default price or fallback price covers the model at that time."""

    code = "price_not_found"


class Unauthenticated(AccountingError, PermissionError):
    """A token that does not prove who calls.

    The message is the same for every reason, so that it may be sent to the caller.

    Attributes:
        reason: for the host's own logs: "malformed", "too_large", "duplicate_member",
            "unsupported_header", "wrong_algorithm", "unknown_key", "bad_signature",
            "missing_claim", "invalid_claim", "expired", "not_yet_valid", "wrong_type",
            "wrong_issuer" or "wrong_audience".
    """

    code = "unauthenticated"
    reason: str

    def __init__(self, message: str, reason: str) -> None:
        """Take the sentence for anybody and the word for the host."""
        super().__init__(message)
        self.reason = reason


class Forbidden(AccountingError, PermissionError):
    """Who calls may not do this; the message says what is needed."""

    code = "forbidden"


class InvalidApiKey(AccountingError):
    """An API key that is malformed, unknown, inactive or expired; which is not said."""

    code = "invalid_api_key"


class StoreError(AccountingError):
    """The database failed or refused for a reason that is none of the caller's arguments.

    A full disk, a missing permission, a timeout. Nothing was changed, unless it is an
    OutcomeUnknown.
    """

    code = "store_error"


class ConnectionLost(StoreError):
    """The database could not be reached, or the connection broke before anything was committed.

    Retryable: nothing was changed.
    """

    code = "connection_lost"


class OutcomeUnknown(StoreError):
    """The database did not confirm the commit: the call may have taken effect.

    Retryable only where the call carried an idempotency key or is a session call that replays;
    then the same call answers what the first one did.
    """

    code = "outcome_unknown"


class MigrationError(StoreError):
    """The schema is missing, newer than the library, or was changed behind its back.

    Migrations that `migrate` had made before stay.
    """

    code = "migration_error"


# Which class a code of the library is raised as; the bindings read it once.
BY_CODE: dict[str, type[AccountingError]] = {
    error_class.code: error_class
    for error_class in (
        InvalidArgument,
        NotFound,
        Conflict,
        SessionClosed,
        InsufficientCredits,
        PriceNotFound,
        Unauthenticated,
        Forbidden,
        InvalidApiKey,
        StoreError,
        ConnectionLost,
        OutcomeUnknown,
        MigrationError,
    )
}
