"""The command: every group on every database, JSON, exit codes, dry runs, questions."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import accounting
from accounting import ManualClock, Policy, TokenCounts
from accounting.cli.exits import ExitCode, place_of, redacted
from accounting.cli.output import clean, expiry
from cli_tool import Tool, contents
from databases import psql
from identity_tools import PRIVATE_KEY, PUBLIC_KEY


@pytest.fixture
def tool(url: str) -> Tool:
    """On a database that is set up, with `ada`, who has 1,000 credits and 50 that never end."""
    tool = Tool(url)
    tool.run("init")
    tool.run("accounts", "sync", "ada", "--email", "ada@example.org", "--username", "Ada")
    tool.run("credits", "allocate", "ada", "1000", "--by", "admin", "--expiry-days", "10")
    tool.run("credits", "allocate", "ada", "50", "--by", "admin", "--never-expires")
    return tool


def with_stale_session(tool: Tool, tokens: int | TokenCounts = 10_000) -> None:
    """A session that gave its last sign of life two hours ago, held at 1 credit per 1,000."""
    clock = ManualClock(datetime.now(timezone.utc) + timedelta(hours=-2))
    policy = Policy(fallback_price="1")
    with accounting.open(tool.url, clock=clock, policy=policy, migrate=True) as books:
        books.accounts.sync("bob", "bob@example.org", "Bob")
        books.credits.allocate("bob", 100, "admin")
        books.sessions.initialize("s-1", "bob", "m", tokens)


def test_a_new_database_is_set_up_and_balances(url: str) -> None:
    tool = Tool(url)
    assert "init" in tool.run("status", code=ExitCode.UNREACHABLE).err
    assert "init" in tool.run("doctor", code=ExitCode.UNREACHABLE).err
    tool.run("accounts", "list", code=ExitCode.UNREACHABLE)
    assert tool.json("init", "--dry-run")["created"] is True
    tool.run("status", code=ExitCode.UNREACHABLE)
    assert tool.json("init")["created"] is True
    assert tool.json("init")["created"] is False
    assert tool.json("migrate")["pending"] == 0
    assert tool.json("migrate", "--dry-run")["dry_run"] is True
    assert tool.json("status")["ok"] is True
    checked = tool.json("doctor")
    assert checked["ok"] is True
    assert checked["verify"]["problems"] == []
    assert "The books balance." in tool.run("doctor").out


def test_a_slip_in_the_name_creates_no_database(tmp_path: Path) -> None:
    tool = Tool(f"sqlite:///{tmp_path}/slip.db")
    assert "accounting init" in tool.run("status", code=ExitCode.UNREACHABLE).err
    tool.run("init", "--dry-run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_books_that_do_not_balance_end_with_4(tool: Tool) -> None:
    with sqlite3.connect(tool.url.removeprefix("sqlite:///")) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("UPDATE credit_allocations SET remaining_credits = remaining_credits - 1")
    checked = tool.json("doctor", code=ExitCode.UNBALANCED)
    assert checked["ok"] is False
    assert checked["verify"]["problems"]
    assert "do not balance" in tool.run("doctor", code=ExitCode.UNBALANCED).err


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_broken_chain_of_the_journal_is_reported(tool: Tool) -> None:
    with sqlite3.connect(tool.url.removeprefix("sqlite:///")) as database:
        database.execute("DROP TRIGGER credit_entries_are_not_updated")
        database.execute("UPDATE credit_entries SET actor = 'eve' WHERE sequence = 1")
    checked = tool.json("doctor", code=ExitCode.UNBALANCED)
    problems = checked["verify"]["problems"]
    assert any("hash" in problem["detail"] for problem in problems), problems


def test_accounts(tool: Tool) -> None:
    tool.run(*("accounts", "sync", "eve", "--email", "e@x", "--username", "Eve", "--role", "admin"))
    assert [a["user_id"] for a in tool.json("accounts", "list", "--role", "admin")["items"]] == [
        "eve"
    ]
    assert tool.json("accounts", "get", "ada")["username"] == "Ada"
    assert "Ada" in tool.run("accounts", "list").out
    assert tool.run("accounts", "get", "nobody", code=ExitCode.REFUSED).err.endswith(
        "[not_found]\n"
    )


def test_credits(tool: Tool) -> None:
    assert tool.json("credits", "balance", "ada")["total_credits"] == 1_050
    shown = tool.run("credits", "balance", "ada").out
    assert "1,050 credits" in shown
    assert "in 10 days" in shown
    charge = tool.json("credits", "charge", "ada", "images", "sketch", "30", "--metadata", "[1]")
    assert charge["usage_record"]["metadata"] == [1]
    assert charge["deduction"]["slices"] == [{"allocation_id": 1, "credits": 30}]
    assert [a["id"] for a in tool.json("credits", "history", "ada")["items"]] == [2, 1]
    assert "active" in tool.run("credits", "history", "ada").out
    entries = tool.json("credits", "entries", "ada")
    assert [entry["credits"] for entry in entries] == [1_000, 50, -30]
    assert "--after 1" in tool.run("credits", "entries", "ada", "--limit", "1").err
    assert "+1,000" in tool.run("credits", "entries", "ada").out


def test_an_idempotency_key_charges_once(tool: Tool) -> None:
    again = ("credits", "charge", "ada", "images", "sketch", "30", "--idempotency-key", "k")
    assert tool.json(*again) == tool.json(*again)
    assert tool.json("credits", "balance", "ada")["total_credits"] == 1_020


@pytest.mark.parametrize("answer", ["", "n\n", "\n"])
def test_revoking_asks_first(tool: Tool, answer: str) -> None:
    before = contents(tool.url)
    ended = tool.run("credits", "revoke", "ada", "2", stdin=answer, code=ExitCode.REFUSED)
    assert "50 of 50 credits" in ended.err
    assert "not_confirmed" in ended.err
    assert ended.out == ""
    assert contents(tool.url) == before


def test_revoking_when_confirmed(tool: Tool) -> None:
    tool.run("credits", "revoke", "ada", "2", stdin="y\n")
    assert tool.json("credits", "revoke", "ada", "1", "--yes")["revoked_credits"] == 1_000
    assert tool.json("credits", "balance", "ada")["total_credits"] == 0
    assert tool.run("credits", "revoke", "ada", "9", "-y", code=ExitCode.REFUSED).out == ""


def test_prices(tool: Tool) -> None:
    tool.run("pricing", "set", "m", "0.1", "--output", "0.3", "--by", "admin")
    rule = tool.json("pricing", "get", "m")
    assert (rule["price_per_1k_tokens"], rule["output"], rule["input"]) == ("0.1", "0.3", None)
    tool.run("pricing", "set", "m", "0.2", "--effective-from", "2999-01-01")
    assert len(tool.json("pricing", "list")) == 1
    assert len(tool.json("pricing", "list", "m", "--all")) == 2
    assert tool.json("pricing", "get", "m", "--at", "2999-01-01")["price_per_1k_tokens"] == "0.2"
    assert "0.1" in tool.run("pricing", "list").out
    assert tool.run("pricing", "get", "x", code=ExitCode.REFUSED).err.endswith(
        "[price_not_found]\n"
    )


def test_stale_sessions_end(tool: Tool) -> None:
    with_stale_session(tool)
    assert tool.json("sessions", "active", "bob")[0]["allocated_credits"] == 12
    assert "stale" in tool.run("sessions", "active").out
    before = contents(tool.url)
    assert [one["dry_run"] for one in tool.json("sessions", "expire-stale", "--dry-run")] == [True]
    assert "would be ended: 1" in tool.run("sessions", "expire-stale", "--dry-run").out
    assert contents(tool.url) == before
    assert "1 session" in tool.run("sessions", "expire-stale", code=ExitCode.REFUSED).err
    assert tool.json("sessions", "expire-stale", "--yes")[0]["refund"] == 12
    assert tool.json("sessions", "expire-stale") == []


@pytest.mark.parametrize("tokens", [10_000, TokenCounts(input=4_000, output=6_000)])
def test_a_session_is_aborted(tool: Tool, tokens: int | TokenCounts) -> None:
    with_stale_session(tool, tokens)
    abort = ("sessions", "abort", "bob", "s-1", "--tokens", "2000")
    assert "10 go back" in tool.run(*abort, code=ExitCode.REFUSED).err
    assert "would be aborted" in tool.run(*abort, "--dry-run").out
    done = tool.json(*abort, "--yes")
    assert (done["actual_credits"], done["dry_run"]) == (2, False)
    assert tool.run("sessions", "active").out == "Active sessions: 0: none\n"


def test_statistics(tool: Tool) -> None:
    tool.run("credits", "charge", "ada", "chat", "m", "30")
    tool.run("credits", "charge", "ada", "images", "sketch", "10")
    stats = tool.json("usage", "stats")
    assert (stats["total_credits"], stats["by_user"]) == (40, {"ada": 40})
    assert tool.json("usage", "stats", "ada")["by_model"] == {"m": 30}
    assert tool.json("usage", "stats", "--to", "2020-01-01")["total_records"] == 0
    assert "75.0 %" in tool.run("usage", "stats", "--top", "1").out
    tool.run("usage", "stats", "ada")


def test_export_is_every_record(tool: Tool, tmp_path: Path) -> None:
    with tool.books() as books:
        books.accounts.sync("bob", "b@x", "Bob")
        records = [
            {"user_id": user, "service": "s", "operation": 'an "o", odd', "credits": n + 1}
            for user in ("ada", "bob")
            for n in range(1_500)
        ]
        records[0]["metadata"] = {"a": ["ü"]}
        assert books.usage.record_many(records) == 3_000
    expected = [(r["user_id"], r["operation"], r["credits"]) for r in records]
    rows = list(csv.DictReader(io.StringIO(tool.run("usage", "export").out)))
    assert [(r["user_id"], r["operation"], int(r["credits"])) for r in rows] == expected
    assert json.loads(rows[0]["metadata"]) == {"a": ["ü"]}
    assert rows[1]["metadata"] == ""
    file = tmp_path / "use.jsonl"
    ended = tool.run("usage", "export", "--format", "jsonl", "--output", str(file))
    assert ended.out == ""
    assert "3,000 records" in ended.err
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(r["user_id"], r["operation"], r["credits"]) for r in lines] == expected
    assert len(tool.run("usage", "export", "--user", "bob", "--json").out.splitlines()) == 1_500
    assert tool.run("usage", "export", "--to", "2020-01-01").out.count("\n") == 1


def test_an_export_that_fails_leaves_the_file_alone(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text("precious")
    tool.run("usage", "export", "--user", "zed", "-o", str(file), code=ExitCode.REFUSED)
    assert file.read_text() == "precious"
    missing = tmp_path / "missing" / "use.csv"
    assert "file_error" in tool.run("usage", "export", "-o", str(missing), code=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "sync", "new", "--email", "n@x", "--username", "New"),
        ("credits", "allocate", "ada", "5"),
        ("credits", "charge", "ada", "s", "o", "5", "--idempotency-key", "k"),
        ("credits", "revoke", "ada", "1"),
        ("pricing", "set", "m", "1"),
    ],
)
def test_a_dry_run_answers_and_changes_nothing(tool: Tool, arguments: tuple[str, ...]) -> None:
    before = contents(tool.url)
    ended = tool.run(*arguments, "--dry-run")
    assert "would be" in ended.out
    assert "dry run: nothing was changed" in ended.err
    assert tool.json(*arguments, "--dry-run")["dry_run"] is True
    assert contents(tool.url) == before
    yes = ("--yes",) if "revoke" in arguments else ()
    assert tool.json(*arguments, *yes)["dry_run"] is False
    assert contents(tool.url) != before


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("credits", "charge", "ada", "s", "o", "5000"), 1, "insufficient_credits"),
        (("credits", "balance", "nobody"), 1, "not_found"),
        (("sessions", "abort", "ada", "s-9", "--yes"), 1, "not_found"),
        (("credits", "allocate", "ada", "0"), 2, "invalid_argument"),
        (("credits", "allocate", "ada", "5", "--expires-at", "2030-01-01T00:00"), 2, "offset"),
        (("credits", "allocate", "ada", "5", "--expires-at", "soon"), 2, "2026-11-01"),
        (("credits", "charge", "ada", "s", "o", "5", "--metadata", "{"), 2, "JSON"),
        (("credits", "charge", "ada", "s", "o", "5", "--metadata", "[" * 50_000), 2, "JSON"),
        (("pricing", "set", "m", "0.00000000001"), 2, "fractional digits"),
        (("usage", "stats", "--from", "2026-02-01", "--to", "2026-01-01"), 2, "--from"),
        (("usage", "export", "--format", "csv", "--json"), 2, "--json"),
        # An empty name is not nobody's: whoever is logged in does not stand in for it.
        (("credits", "allocate", "ada", "5", "--by", ""), 2, "allocated_by"),
        (("pricing", "set", "m", "1", "--created-by", ""), 2, "created_by"),
        (("credits", "allocate", "ada", "many"), 2, "CREDITS"),
        (("credits", "nothing"), 2, "nothing"),
    ],
)
def test_errors_are_a_line_and_a_code(
    tool: Tool, arguments: tuple[str, ...], code: int, word: str
) -> None:
    ended = tool.run(*arguments, code=code)
    assert word in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:hunter2@127.0.0.1:1/books",
        "postgresql://ada@127.0.0.1:1/books?password=hunter2",
        "mysql://ada:hunter2@host/books",
        "postgresql://ada:hun@t/hunter2@127.0.0.1:1/books",
    ],
)
@pytest.mark.parametrize("command", ["status", "init", "doctor"])
def test_a_password_is_never_shown(url: str, command: str) -> None:
    code = ExitCode.USAGE if url.startswith("mysql") else ExitCode.UNREACHABLE
    ended = Tool(url).run(command, code=code)
    assert "hunter2" not in ended.out + ended.err
    assert len(ended.err.splitlines()) == 1
    assert "hunter2" not in redacted(f"at {url}")


@pytest.mark.parametrize(
    ("url", "place", "text"),
    [
        ("sqlite://", "sqlite://", "sqlite://"),
        ("sqlite:////srv/a@b.db", "sqlite:////srv/a@b.db", "sqlite:////srv/a@b.db"),
        ("postgresql://host:5432/books", "postgresql://host:5432/books", None),
        ("postgresql://ada@[::1]:5432/x", "postgresql://[::1]:5432/x", None),
        ("postgresql://ada@%2Frun%2Fpg/x", "postgresql://%2Frun%2Fpg/x", None),
        ("postgresql://a:hunter2@h1:1,h2:2/x", "postgresql://h1:1,h2:2/x", "postgresql://a:***"),
        ("postgresql://a:hun ter2@h:1/x", "postgresql://h:1/x", "postgresql://a:***@h:1/x"),
        ("postgresql://a:hun\tter2@h/x", "postgresql://h/x", "postgresql://a:***@h/x"),
        ("postgresql://a:hun\nter2@h/x", "postgresql://h/x", "postgresql://a:***@h/x"),
        ("postgresql://a@b:hunter2@h/x", "postgresql://h/x", "postgresql://a:***@h/x"),
        ("postgresql://a:hun@t/ter2@h/x", "postgresql://h/x", "postgresql://a:***@h/x"),
        ("postgresql://a@h/x?password=hunter2", "postgresql://h/x", "postgresql://a@h/x"),
        ("postgresql://a@h/x?password=hun ter2&b=c", "postgresql://h/x", "postgresql://a@h/x"),
        ("postgresql://a@h/x?password=hun@ter2", "postgresql://***", "postgresql://***"),
        ("postgresql://a:hun?ter2@h/x", "postgresql://***", "postgresql://***"),
        ("postgresql://a:hunter2", "postgresql://***", "postgresql://a:"),
        ("postgresql+psycopg://a:hun ter2@h/x", "postgresql+psycopg://h/x", "postgresql+psycopg:"),
        ("host=h password=hunter2", "a database", None),
    ],
)
def test_where_a_password_may_hide(url: str, place: str, text: str | None) -> None:
    assert place_of(url) == place
    # Not a word of it; only what follows no @ is read as host and port, as libpq does.
    assert "ter2" not in place_of(url)
    shown = redacted(f"at {url}")
    assert shown.startswith(f"at {url if text is None else text}")
    if "@" in url or "?" in url:
        assert "ter2" not in shown


def test_the_place_is_shown_without_user_and_password(server_url: str) -> None:
    parts = urlsplit(server_url)
    at = f"{parts.hostname}:{parts.port}{parts.path}"
    with_password = f"postgresql://{parts.username}:{parts.password or 'hunter2'}@{at}"
    shown = Tool(with_password).run("init").out
    assert shown == f"postgresql://{at}: set up, schema version {schema_version(server_url)}\n"


def schema_version(url: str) -> int:
    with accounting.open(url) as books:
        return books.schema_version()


def test_options_may_stand_before_the_command(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    nowhere = Tool("sqlite:////nowhere/at/all.db")
    assert nowhere.run("--database", url, "--json", "init").value["created"] is True
    assert nowhere.run("--json", "status", "-d", url).value["ok"] is True


def test_text_from_elsewhere_does_not_steer_the_terminal(tool: Tool) -> None:
    tool.run("accounts", "sync", "eve", "--email", "e@x", "--username", "E\x1b[2Jve [red]x")
    shown = tool.run("accounts", "get", "eve").out
    assert "\x1b" not in shown
    assert "E\\x1b[2Jve [red]x" in shown
    assert clean("a\u202eb") == "a\\u202eb"


def test_help_documents_exit_codes_and_completion() -> None:
    shown = " ".join(Tool("").run("--help").out.split())
    assert "4 the books do not balance" in shown
    assert "--install-completion" in shown


def test_init_of_older_books_ends_as_status_does(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tool.books() as books:
        older = dataclasses.replace(books.health(), ok=False, pending_migrations=1)
    monkeypatch.setattr(accounting.Accounting, "health", lambda _: older)
    for command in ("init", "status", "doctor"):
        assert "accounting migrate" in tool.run(command, code=ExitCode.UNREACHABLE).err


@pytest.mark.parametrize("command", [["doctor"], ["report", "-o", "report.html"]])
def test_ctrl_c_ends_a_long_reading_at_once(
    server_url: str, command: list[str], tmp_path: Path
) -> None:
    accounting.open(server_url, migrate=True).close()
    lock = "BEGIN; LOCK usage_records, usage_rollups, user_accounts; SELECT pg_sleep(60)"
    holder = subprocess.Popen(["psql", server_url, "-X", "-q", "-c", lock])
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 'user_accounts'::regclass AND "
    while psql(server_url, locks + "mode = 'AccessExclusiveLock'") == "0":
        time.sleep(0.05)
    waits = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    waits += "WHERE datname = current_database() AND NOT granted"
    process = subprocess.Popen(
        [sys.executable, "-m", "accounting.cli", "-d", server_url, *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while psql(server_url, waits) == "0":
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=10)
    finally:
        process.kill()
        holder.kill()
        holder.wait()
    assert (process.returncode, complaints) == (130, "error: interrupted [interrupted]\n")
    assert not list(tmp_path.iterdir())


def test_errors_do_not_fold_into_a_pipe(tool: Tool) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "accounting.cli", "accounts", "get", "nobody"],
        env={**os.environ, "ACCOUNTING_DATABASE_URL": tool.url, "COLUMNS": "20"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == "error: there is no account with that user_id [not_found]\n"


def test_when_credits_end_to_the_nearest_day() -> None:
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for hours, said in [
        (-1, "past"),
        (23, "within a day"),
        (24, "in 1 day"),
        (35, "in 1 day"),
        (36, "in 2 days"),
        (30 * 24 - 0.001, "in 30 days"),
    ]:
        assert f"({said})" in expiry(at + timedelta(hours=hours), at).plain
    assert expiry(None, at).plain == "never"


def test_a_stream_without_the_letters_shows_them_escaped(tool: Tool) -> None:
    tool.run("accounts", "sync", "eve", "--email", "e@x", "--username", "Žofie")
    environment = {
        **os.environ,
        "ACCOUNTING_DATABASE_URL": tool.url,
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
    }
    command = [sys.executable, "-m", "accounting.cli", "accounts", "get", "eve"]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "\\u017dofie" in shown.stdout
    as_json = subprocess.run(
        [*command, "--json"], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(as_json.stdout)["username"] == "Žofie"


def test_as_a_process(tool: Tool) -> None:
    environment = {**os.environ, "ACCOUNTING_DATABASE_URL": tool.url}
    run = subprocess.run(
        [sys.executable, "-m", "accounting.cli", "credits", "balance", "nobody", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.strip() == "error: there is no account with that user_id [not_found]"


def test_a_checkpoint_knows_its_books(tool: Tool, tmp_path: Path) -> None:
    private, public, file = (tmp_path / name for name in ("private.pem", "public.pem", "check"))
    private.write_text(PRIVATE_KEY)
    public.write_text(PUBLIC_KEY)
    tool.run("accounts", "sync", "ada", "--email", "ada@example.org", "--username", "Ada")
    tool.run("credits", "allocate", "ada", "1000", "--expiry-days", "30")
    export = ("checkpoint", "export", str(file), "--key")
    verify = ("checkpoint", "verify", str(file), "--key")
    tool.run(*export, str(public), code=2)
    assert not file.exists()
    assert "1 accounts" in tool.run(*export, str(private)).out
    tool.run(*export, str(private), code=2)  # never over another
    assert "PRIVATE" not in file.read_text()

    tool.run("credits", "charge", "ada", "s", "o", "5")
    assert tool.json(*verify, str(public))["ok"] is True
    tool.run(*verify, str(private), code=2)

    other = Tool(f"sqlite:///{tmp_path}/other.db")
    with other.books() as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
    ended = other.run(*verify, str(public), code=4)
    assert "there are 0 entries, and the checkpoint has" in " ".join(ended.out.split())
    file.write_text(file.read_text().replace('"entries":', '"entries":1'))
    assert "signed with this key" in other.run(*verify, str(public), code=2).err
