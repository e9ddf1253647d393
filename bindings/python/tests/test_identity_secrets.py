"""No secret is in a database, in the library's log or in an error."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import accounting
from accounting import Accounting, AccountingError, JwtVerifier, ManualClock
from identity_tools import token

SECRET = "the secret of the tokens, 32 bytes and more"
PEPPER = "the pepper of the API keys, also 32 bytes"


def dump(url: str) -> str:
    """All that the database holds, as its own tool writes it."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as database:
            tables = "\n".join(database.iterdump())
        # Also what was deleted, and what is still in the write-ahead log.
        files = "".join(
            file.read_bytes().decode("latin-1") for file in Path(path).parent.glob("books.db*")
        )
        return tables + files
    program = shutil.which("pg_dump")
    assert program is not None, "the tests on PostgreSQL need its client, pg_dump"
    return subprocess.run([program, url], check=True, capture_output=True, text=True).stdout


def failing(books: Accounting, key: str, presented: str) -> list[Callable[[], object]]:
    """Calls that fail with a secret in hand."""
    stranger = JwtVerifier(secret="another secret of at least 32 bytes")
    return [
        lambda: books.api_keys.validate(key),
        lambda: books.api_keys.validate(key + "x"),
        lambda: books.authenticate(presented, stranger),
        lambda: books.authenticate(presented + "x", stranger),
        lambda: JwtVerifier(secret=SECRET[:20]),
        lambda: accounting.JwtKey.from_secret(SECRET, "HS999"),
        lambda: accounting.JwtKey.from_pem(SECRET, "RS256"),
        lambda: JwtVerifier(jwks=SECRET),
        lambda: accounting.open("sqlite://", api_key_pepper=PEPPER[:20]),
    ]


def test_no_secret_is_left_anywhere(url: str, clock: ManualClock) -> None:
    lines: list[str] = []
    books = accounting.open(
        url, clock=clock, migrate=True, api_key_pepper=PEPPER,
        log=lambda level, message: lines.append(f"{level} {message}"),
    )  # fmt: skip
    with books:
        verifier = JwtVerifier(secret=SECRET, clock=clock)
        presented = token(clock, SECRET.encode())
        books.on_behalf_of(books.authenticate(presented, verifier))
        first = books.api_keys.create("ada", "first", ["usage:write"])
        second = books.api_keys.rotate(1, "ada")
        for key in (first.key, second.key):
            books.api_keys.validate(key)
        books.api_keys.update(2, "ada", name="second")
        books.api_keys.revoke(1, "ada")
        books.api_keys.delete(1, "ada")
        for call in failing(books, first.key, presented):
            with pytest.raises(AccountingError) as raised:
                call()
            lines += [repr(raised.value), *traceback.format_exception_only(raised.value)]
        lines.append(dump(url))
    # Closed books cannot note a use, and say so.
    with pytest.raises(AccountingError):
        books.api_keys.validate(second.key)
    everything = "\n".join(lines)
    secrets = [first.key, second.key, presented, SECRET, SECRET[:20], PEPPER, PEPPER[:20]]
    # Neither whole nor by the part that has to be guessed.
    secrets += [key.split("_")[1][:40] for key in (first.key, second.key)]
    secrets.append(presented.rsplit(".", 1)[1])
    assert [secret for secret in secrets if secret in everything] == []


def test_a_warning_that_a_use_was_not_noted_holds_no_key(tmp_path: Path) -> None:
    lines: list[str] = []
    url = f"sqlite:///{tmp_path}/books.db"
    with accounting.open(url) as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
        key = books.api_keys.create("ada", "key").key
    with sqlite3.connect(tmp_path / "books.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with accounting.open(
            url,
            lock_timeout=timedelta(milliseconds=1),
            max_attempts=1,
            log=lambda level, message: lines.append(f"{level} {message}"),
        ) as books:
            assert books.api_keys.validate(key).key_id == 1
    assert lines == ["warning the use of an API key could not be noted"]


def test_an_argument_in_the_wrong_place_is_not_quoted(memory: Accounting) -> None:
    key = memory.api_keys.create("ada", "key").key
    secret = "a secret that is in the wrong place, alas"
    verifier = JwtVerifier(secret=SECRET)
    mistakes: list[Callable[[], object]] = [
        lambda: memory.on_behalf_of(key),  # type: ignore[arg-type]
        lambda: memory.authenticate(verifier, key),  # type: ignore[arg-type]
        lambda: JwtVerifier(SECRET, clock=secret),  # type: ignore[arg-type]
        lambda: accounting.open("sqlite://", secret),  # type: ignore[arg-type]
        lambda: accounting.open("sqlite://", clock=secret),  # type: ignore[arg-type]
        lambda: accounting.open("sqlite://", api_key_prefix=secret),
    ]
    for mistake in mistakes:
        with pytest.raises(AccountingError) as raised:
            mistake()
        assert key not in str(raised.value)
        assert secret not in str(raised.value)
