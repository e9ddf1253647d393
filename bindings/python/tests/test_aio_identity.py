"""The awaited services of identity: tokens, API keys, permissions, the audit trail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import json
import threading
import time

import pytest

import accounting
import accounting.aio
from accounting import (
    Conflict,
    Forbidden,
    InvalidApiKey,
    InvalidArgument,
    JwtVerifier,
    Principal,
    Role,
    Unauthenticated,
)
from aio_tool import run

Books = accounting.aio.Accounting

SECRET = "a secret of at least thirty-two bytes"


def token(user_id: str, role: str = "user") -> str:
    """An access token as the authentication service signs it."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    now = int(time.time())
    claims = {
        "sub": user_id, "username": user_id, "email": f"{user_id}@example.org", "role": role,
        "iat": now, "exp": now + 60, "type": "access",
    }  # fmt: skip
    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_a_token_proves_who_calls(url: str) -> None:
    async def body(books: Books) -> None:
        verifier = JwtVerifier(secret=SECRET)
        eve = await books.authenticate(token("eve", "supervisor"), verifier)
        assert (eve.user_id, eve.role) == ("eve", Role.SUPERVISOR)
        assert (await books.accounts.get("eve")).role is Role.SUPERVISOR
        with pytest.raises(Unauthenticated):
            await books.authenticate(token("eve") + "x", verifier)
        with pytest.raises(InvalidArgument, match="verifier"):
            await books.authenticate("t", None)  # type: ignore[arg-type]

    run(url, body)


def test_a_caller_does_what_the_role_allows(url: str) -> None:
    async def body(books: Books) -> None:
        ada = books.on_behalf_of(Principal("ada"))
        assert (await ada.credits.balance()).total_credits == 1_000
        assert (await ada.accounts.get()).user_id == "ada"
        with pytest.raises(Forbidden):
            await ada.credits.allocate(credits=5, allocated_by="ada")
        with pytest.raises(Forbidden):
            await ada.pricing.set("m", "1", "ada")
        admin = books.on_behalf_of(Principal("root", role=Role.ADMIN))
        await admin.credits.allocate_many([{"user_id": "ada", "credits": 5, "allocated_by": "r"}])
        assert (await books.credits.balance("ada")).total_credits == 1_005
        with pytest.raises(InvalidArgument, match="principal"):
            books.on_behalf_of("ada")  # type: ignore[arg-type]

    run(url, body)


def test_a_key_is_issued_used_and_revoked(url: str) -> None:
    async def body(books: Books) -> None:
        issued = await books.api_keys.create("ada", "build server", ["usage:write"])
        bearer = books.on_behalf_of(await books.api_keys.validate(issued.key))
        charge = await bearer.credits.charge(service="s", operation="o", credits=3)
        assert charge.usage_record.user_id == "ada"
        with pytest.raises(Forbidden):
            await bearer.api_keys.create(name="another")
        await books.api_keys.revoke(issued.api_key.id, "ada")
        with pytest.raises(InvalidApiKey):
            await books.api_keys.validate(issued.key)
        told = [entry.operation for entry in (await books.audit.list("ada")).items]
        assert told[:2] == ["api_keys.revoke", "api_keys.create"]

    run(url, body)


def test_keys_within_a_transaction(url: str) -> None:
    async def body(books: Books) -> None:
        ada = books.on_behalf_of(Principal("ada"))
        with pytest.raises(KeyError):
            async with books.transaction() as tx:
                await tx.api_keys.create("ada", "never was")
                # A direct call, which could wait for this transaction.
                with pytest.raises(Conflict, match="in this task"):
                    await ada.credits.balance()
                raise KeyError
        assert await books.api_keys.list("ada") == []
        async with books.transaction() as tx:
            await tx.api_keys.create("ada", "is")
        assert [key.name for key in await books.api_keys.list("ada")] == ["is"]

    run(url, body)


def test_calls_run_on_the_threads_of_the_books() -> None:
    threads = set()

    async def body(books: Books) -> None:
        ada = books.on_behalf_of(Principal("ada"))
        await ada.credits.balance()
        await ada.usage.list()
        threads.update(one.name for one in threading.enumerate() if "accounting.aio" in one.name)
        await books.close()
        with pytest.raises(Conflict):
            await ada.credits.balance()

    run("sqlite://", body, threads=1)
    assert len(threads) == 1


def test_a_caller_has_the_same_calls() -> None:
    with accounting.open("sqlite://") as books:
        plain = books.on_behalf_of(Principal("ada"))

        async def body(books: Books) -> None:
            awaited = books.on_behalf_of(Principal("ada"))
            assert public(awaited) == public(plain)
            for name in public(plain):
                service, other = getattr(plain, name), getattr(awaited, name)
                assert public(service) == public(other), name
                for call in public(service):
                    ours = getattr(other, call)
                    assert inspect.iscoroutinefunction(ours)
                    assert inspect.signature(ours) == inspect.signature(getattr(service, call))

        run("sqlite://", body)
