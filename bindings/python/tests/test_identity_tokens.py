"""Tokens: verified, explained, and made into accounts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import accounting
from accounting import (
    Accounting,
    InvalidArgument,
    JwtKey,
    JwtVerifier,
    ManualClock,
    Principal,
    Role,
    Unauthenticated,
)
from identity_tools import SECRET, token

ADA = Principal("ada", "Ada", "ada@example.org", Role.USER)


@pytest.fixture
def verifier(clock: ManualClock) -> JwtVerifier:
    return JwtVerifier(secret=SECRET, clock=clock)


def test_a_good_token_is_a_principal(clock: ManualClock, verifier: JwtVerifier) -> None:
    assert verifier.verify(token(clock)) == ADA


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 5}, "expired"),
        ({"exp": None}, "missing_claim"),
        ({"exp": "later"}, "invalid_claim"),
        ({"nbf": 10**12}, "not_yet_valid"),
        ({"type": "refresh"}, "wrong_type"),
        ({"role": "root"}, "invalid_claim"),
        ({"sub": ""}, "invalid_claim"),
        ({"sub": "x" * 51}, "invalid_claim"),
        ({"secret": b"another secret of thirty-two bytes!!"}, "bad_signature"),
    ],
    ids=str,
)
def test_a_bad_token_says_why_to_the_host_alone(
    clock: ManualClock, verifier: JwtVerifier, claims: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(token(clock, **claims))
    assert refused.value.reason == reason
    assert refused.value.code == "unauthenticated"
    assert str(refused.value) == "the token was refused"
    assert isinstance(refused.value, PermissionError)


@pytest.mark.parametrize("garbage", ["", "a.b.c", "\ud800", "\0", "ü.ü.ü", "x" * 9_000])
def test_what_is_no_token_is_refused(verifier: JwtVerifier, garbage: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(garbage)
    inspection = verifier.inspect(garbage)
    assert not inspection.accepted
    assert inspection.problem in {"malformed", "too_large"}


def test_an_administrator_is_told_precisely(clock: ManualClock, verifier: JwtVerifier) -> None:
    refused = verifier.inspect(token(clock, exp=int(clock.now().timestamp()) - 63))
    assert refused.problem == "expired"
    assert refused.explanation == "exp was 2025-12-31T23:58:57Z, 63 seconds ago"
    accepted = verifier.inspect(token(clock))
    assert (accepted.accepted, accepted.problem, accepted.principal) == (True, None, ADA)


def test_keys_rotate(clock: ManualClock) -> None:
    old, new = b"o" * 32, b"n" * 32
    both = JwtVerifier(
        keys=[JwtKey.from_secret(old, "HS256", kid="1"), JwtKey.from_secret(new, "HS256", "2")],
        clock=clock,
    )
    assert both.verify(token(clock, old)) == both.verify(token(clock, new)) == ADA


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({}, "secret"),
        ({"secret": "short"}, "secret"),
        ({"secret": 5}, "secret"),
        ({"secret": SECRET, "leeway_seconds": 61}, "leeway_seconds"),
        ({"secret": SECRET, "issuer": ""}, "issuer"),
        ({"secret": SECRET, "clock": "now"}, "clock"),
        ({"keys": ["key"]}, "keys[0]"),
        ({"jwks": "{"}, "jwks"),
    ],
    ids=str,
)
def test_a_bad_verifier_is_refused_by_name(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        JwtVerifier(**arguments)
    assert refused.value.argument == argument
    assert "short" not in str(refused.value)


def test_no_secret_is_shown(verifier: JwtVerifier) -> None:
    key = JwtKey.from_secret(SECRET, "HS256")
    for shown in (repr(verifier), repr(key), str(verifier), str(key)):
        assert "secret" not in shown


def test_a_first_token_makes_the_account_and_a_later_one_updates_it(
    books: Accounting, clock: ManualClock, verifier: JwtVerifier
) -> None:
    eve = {"sub": "eve", "username": "Eve", "email": "eve@example.org"}
    assert books.authenticate(token(clock, **eve), verifier).user_id == "eve"
    made = books.accounts.get("eve")
    assert (made.username, made.role) == ("Eve", Role.USER)
    clock.advance(seconds=1)
    books.authenticate(token(clock, **eve), verifier)
    assert books.accounts.get("eve") == made
    books.authenticate(token(clock, **{**eve, "role": "supervisor"}), verifier)
    assert books.accounts.get("eve").role is Role.SUPERVISOR
    actors = [(one.actor, one.operation) for one in books.audit.list("eve").items]
    assert actors == [("principal:eve", "accounts.sync")] * 2


def test_a_refused_token_touches_nothing(
    books: Accounting, clock: ManualClock, verifier: JwtVerifier
) -> None:
    with pytest.raises(Unauthenticated):
        books.authenticate(token(clock, sub="eve", exp=5), verifier)
    assert books.accounts.list().total == 1


def test_a_hundred_first_requests_at_once_make_one_account(
    url: str, clock: ManualClock, verifier: JwtVerifier
) -> None:
    with accounting.open(url, clock=clock, migrate=True, pool_size=8) as books:
        presented = token(clock)
        with ThreadPoolExecutor(100) as pool:
            principals = list(
                pool.map(lambda _: books.authenticate(presented, verifier), range(100))
            )
        assert principals == [ADA] * 100
        assert books.accounts.list().total == 1
        assert books.audit.list().total == 1
