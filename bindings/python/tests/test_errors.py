"""The error types, and how each is raised."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

import accounting
from accounting import (
    Accounting,
    AccountingError,
    Conflict,
    ConnectionLost,
    Forbidden,
    InsufficientCredits,
    InvalidApiKey,
    InvalidArgument,
    MigrationError,
    NotFound,
    OutcomeUnknown,
    PriceNotFound,
    SessionClosed,
    StoreError,
    Unauthenticated,
)
from accounting.errors import BY_CODE

KINDS: list[tuple[AccountingError, str, tuple[type, ...]]] = [
    (InvalidArgument("page", "a number"), "invalid_argument", (AccountingError, ValueError)),
    (NotFound("m"), "not_found", (AccountingError, LookupError)),
    (Conflict("m"), "conflict", (AccountingError,)),
    (SessionClosed("m"), "session_closed", (Conflict,)),
    (InsufficientCredits(5, 3), "insufficient_credits", (AccountingError,)),
    (PriceNotFound("m"), "price_not_found", (AccountingError,)),
    (Unauthenticated("m", "expired"), "unauthenticated", (AccountingError, PermissionError)),
    (Forbidden("m"), "forbidden", (AccountingError, PermissionError)),
    (InvalidApiKey("m"), "invalid_api_key", (AccountingError,)),
    (StoreError("m", retryable=True), "store_error", (AccountingError,)),
    (ConnectionLost("m", retryable=True), "connection_lost", (StoreError,)),
    (OutcomeUnknown("m", retryable=True), "outcome_unknown", (StoreError,)),
    (MigrationError("m"), "migration_error", (StoreError,)),
]


@pytest.mark.parametrize(("error", "code", "bases"), KINDS, ids=lambda value: str(value))
def test_kinds(error: AccountingError, code: str, bases: tuple[type, ...]) -> None:
    assert error.code == type(error).code == code
    assert all(isinstance(error, base) for base in (*bases, AccountingError, Exception))
    assert BY_CODE[code] is type(error)
    assert isinstance(error.retryable, bool)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert again.__dict__ == error.__dict__
        assert (str(again), repr(again), again.code) == (str(error), repr(error), error.code)


def test_every_kind_is_tested() -> None:
    exported = [getattr(accounting, name) for name in accounting.__all__]
    kinds = {
        kind for kind in exported if isinstance(kind, type) and issubclass(kind, AccountingError)
    }
    assert kinds == {type(error) for error, _, _ in KINDS} | {AccountingError}
    assert set(BY_CODE.values()) == kinds - {AccountingError}


def test_details() -> None:
    invalid = InvalidArgument("page", "a number from 1")
    assert (invalid.argument, invalid.expected) == ("page", "a number from 1")
    assert str(invalid) == "page: expected a number from 1"
    short = InsufficientCredits(5, 3)
    assert (short.required, short.available, short.retryable) == (5, 3, False)


REFUSED: list[tuple[Callable[[Accounting], object], type[AccountingError]]] = [
    (lambda books: books.accounts.list(page=0), InvalidArgument),
    (lambda books: books.accounts.get("nobody"), NotFound),
    (lambda books: books.credits.balance("nobody"), NotFound),
    (lambda books: books.sessions.get("unknown", "ada"), NotFound),
    (lambda books: books.credits.revoke(99, "ada", "admin"), NotFound),
    (lambda books: books.credits.deduct("ada", 1_001), InsufficientCredits),
    (lambda books: books.pricing.get("unpriced"), PriceNotFound),
]


@pytest.mark.parametrize(("call", "kind"), REFUSED)
def test_refusals(
    memory: Accounting, call: Callable[[Accounting], object], kind: type[AccountingError]
) -> None:
    with pytest.raises(kind) as caught:
        call(memory)
    assert type(caught.value) is kind
    assert not caught.value.retryable
    # Raised here, not while another was handled.
    assert caught.value.__context__ is None


def test_a_server_out_of_reach_is_retryable() -> None:
    with pytest.raises(ConnectionLost) as caught:
        accounting.open("postgresql://nobody:secret-word@127.0.0.1:1/nothing")
    assert caught.value.retryable
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://host/x", "", 1, "\ud800", b"sqlite://"])
def test_a_wrong_url_is_refused_by_the_name_it_has_in_python(
    url: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ACCOUNTING_DATABASE_URL", "DB_HOST"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(InvalidArgument) as caught:
        accounting.open(url)  # type: ignore[arg-type]
    assert caught.value.argument == "url"


def test_closed_books_say_so(books: Accounting) -> None:
    credits = books.credits
    books.close()
    books.close()
    for call in (
        lambda: credits.balance("ada"),
        lambda: books.credits.deduct("ada", 1),
        lambda: books.accounts.list(),
        lambda: books.transact(lambda tx: None),
        lambda: books.transaction(),
        lambda: books.verify(),
        lambda: books.migrate(),
    ):
        with pytest.raises(Conflict, match="closed"):
            call()
    health = books.health()
    assert not health.ok
    assert "closed" in health.problem


def test_leaving_the_block_closes(url: str) -> None:
    with accounting.open(url, migrate=True) as books:
        books.accounts.list()
    with pytest.raises(Conflict):
        books.accounts.list()
