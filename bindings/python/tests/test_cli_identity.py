"""The command's keys, tokens and audit trail, on every database."""

from __future__ import annotations

import re

import pytest

from accounting import ManualClock
from cli_tool import Tool, contents
from identity_tools import SECRET, token


@pytest.fixture
def tool(url: str) -> Tool:
    made = Tool(url)
    made.run("init")
    made.run("accounts", "sync", "ada", "--email", "ada@example.org", "--username", "Ada")
    return made


def create(tool: Tool, *more: str) -> str:
    key = tool.json("keys", "create", "ada", "build server", *more)["key"]
    assert isinstance(key, str)
    return key


def test_a_key_is_printed_once_with_a_warning(tool: Tool) -> None:
    ended = tool.run("keys", "create", "ada", "build server", "-p", "usage:write")
    [key] = re.findall(r"^acct_\w{46}$", ended.out, re.MULTILINE)
    assert "cannot be shown again" in ended.err
    listed = tool.run("keys", "list", "ada").out
    assert "build server" in listed
    assert key not in listed
    assert key not in tool.run("audit").out
    valid = tool.run("keys", "validate", stdin=f"{key}\n").out
    assert valid == "valid: key 1 of ada, permissions: usage:write\n"


def test_a_key_that_is_not_valid_ends_with_1(tool: Tool) -> None:
    key = create(tool)
    assert "[invalid_api_key]" in tool.run("keys", "validate", stdin=f"{key}x\n", code=1).err
    assert "expected an API key on stdin" in tool.run("keys", "validate", stdin="", code=2).err


def test_a_rotated_key_has_a_successor(tool: Tool) -> None:
    old = create(tool, "--expiry-days", "30")
    successor = tool.json("keys", "rotate", "ada", "1")
    assert successor["api_key"]["id"] == 2
    for key in (old, successor["key"]):
        tool.run("keys", "validate", stdin=key)


def test_revoking_asks_first(tool: Tool) -> None:
    key = create(tool)
    before = tool.json("keys", "list", "ada")
    assert "not confirmed" in tool.run("keys", "revoke", "ada", "1", stdin="n\n", code=1).err
    assert tool.json("keys", "list", "ada") == before
    tool.run("keys", "revoke", "ada", "1", stdin="y\n")
    tool.run("keys", "validate", stdin=key, code=1)


@pytest.mark.parametrize(
    "arguments",
    [("create", "ada", "key"), ("rotate", "ada", "1"), ("revoke", "ada", "1")],
    ids=lambda arguments: arguments[0],
)
def test_a_dry_run_shows_no_key_and_changes_nothing(tool: Tool, arguments: tuple[str]) -> None:
    create(tool)
    before = contents(tool.url), tool.json("keys", "list", "ada"), tool.json("audit")
    ended = tool.run("keys", *arguments, "--dry-run")
    assert not re.search(r"acct_\w{46}", ended.out)
    assert "would be" in ended.out
    assert (contents(tool.url), tool.json("keys", "list", "ada"), tool.json("audit")) == before


def test_the_audit_trail_names_who_did_what(tool: Tool) -> None:
    create(tool)
    tool.run("pricing", "set", "atlas", "2.5")
    rows = tool.json("audit")["items"]
    assert [row["operation"] for row in rows] == [
        "pricing.set", "api_keys.create", "accounts.sync",
    ]  # fmt: skip
    assert tool.json("audit", "--user", "ada")["total"] == 2
    assert tool.json("audit", "--actor", "nobody")["total"] == 0
    assert "api_keys.create" in tool.run("audit").out


def test_a_token_is_explained(
    tool: Tool, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    presented = token(clock)  # of the first hour of 2026
    assert "name a key" in tool.run("token", "inspect", stdin=presented, code=2).err
    monkeypatch.setenv("ACCOUNTING_JWT_SECRET", SECRET.decode())
    ended = tool.run("token", "inspect", stdin=presented, code=1)
    assert "refused: expired" in ended.out
    assert "exp was 2026-01-01T01:00:00Z" in ended.out
    assert presented not in ended.out
    good = token(clock, exp=10**10)
    assert "accepted" in tool.run("token", "inspect", stdin=good).out
