"""API keys through Python; the rules themselves are tested in C++."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta

import pytest

import accounting
from accounting import (
    Accounting,
    Conflict,
    InvalidApiKey,
    InvalidArgument,
    KeyIdentity,
    ManualClock,
)


def test_a_key_from_its_issue_to_its_end(books: Accounting, clock: ManualClock) -> None:
    issued = books.api_keys.create("ada", "build server", ["usage:write"], expiry_days=30)
    assert re.fullmatch("acct_[0-9A-Za-z]{46}", issued.key)
    assert books.api_keys.list("ada") == [issued.api_key]
    assert books.api_keys.validate(issued.key) == KeyIdentity("ada", ("usage:write",), 1)
    assert books.api_keys.list("ada")[0].last_used == clock.now()

    renamed = books.api_keys.update(1, "ada", name="better", permissions=["usage:read"])
    assert (renamed.name, renamed.permissions) == ("better", ["usage:read"])
    books.api_keys.update(1, "ada", is_active=False)
    with pytest.raises(InvalidApiKey):
        books.api_keys.validate(issued.key)
    books.api_keys.update(1, "ada", is_active=True)

    successor = books.api_keys.rotate(1, "ada")
    assert successor.api_key.expires_at == clock.now() + timedelta(days=30)
    assert books.api_keys.validate(issued.key).key_id == 1
    assert books.api_keys.revoke(1, "ada").revoked_at == clock.now()
    with pytest.raises(InvalidApiKey):
        books.api_keys.validate(issued.key)
    with pytest.raises(Conflict):
        books.api_keys.update(1, "ada", is_active=True)
    books.api_keys.delete(1, "ada")
    assert [key.id for key in books.api_keys.list("ada")] == [2]


WRONG = {
    "nothing": "",
    "prefix alone": "acct_",
    "surrogate": "\ud800",
    "NUL": "\0",
    "wrong checksum": "acct_" + "a" * 46,
    "no ASCII": "ü" * 51,
}


# By their names: what looks like a key has no place in a log.
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_key_is_refused_alike(memory: Accounting, wrong: str) -> None:
    with pytest.raises(InvalidApiKey, match=r"^the API key was refused$"):
        memory.api_keys.validate(wrong)


def test_the_secret_is_in_no_repr(memory: Accounting) -> None:
    issued = memory.api_keys.create("ada", "key")
    assert issued.key not in repr(issued) + str(issued) + repr(issued.api_key)
    assert pickle.loads(pickle.dumps(issued)) == issued


def test_prefix_and_pepper(url: str) -> None:
    pepper = "a pepper of at least thirty-two bytes"
    with accounting.open(url, migrate=True) as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
    with accounting.open(url, api_key_prefix="corp", api_key_pepper=pepper) as books:
        issued = books.api_keys.create("ada", "key")
        assert issued.key.startswith("corp_")
        assert books.api_keys.validate(issued.key).key_id == 1
    with accounting.open(url, api_key_prefix="corp") as books, pytest.raises(InvalidApiKey):
        books.api_keys.validate(issued.key)
    for option in ({"api_key_prefix": "a_b"}, {"api_key_pepper": "short"}):
        with pytest.raises(InvalidArgument, match=f"^{next(iter(option))}: ") as refused:
            accounting.open("sqlite://", **option)  # type: ignore[arg-type]
        assert "short" not in str(refused.value)


def test_an_unknown_permission_is_named(memory: Accounting) -> None:
    with pytest.raises(InvalidArgument, match=r"^permissions: expected one of credits:read"):
        memory.api_keys.create("ada", "key", ["credit:read"])
    with pytest.raises(InvalidArgument, match=r"^permissions: "):
        memory.api_keys.create("ada", "key", "credits:read")
