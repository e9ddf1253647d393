"""Every call once, on every database: that arguments arrive and answers come back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

import accounting
from accounting import (
    Accounting,
    Charge,
    Conflict,
    EntryKind,
    InsufficientCredits,
    InvalidArgument,
    ManualClock,
    MigrationError,
    NotFound,
    Policy,
    Role,
    SessionClosed,
    SessionStatus,
    TokenCounts,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def test_accounts(books: Accounting, clock: ManualClock) -> None:
    clock.advance(seconds=1)
    result = books.accounts.sync("bob", "bob@example.org", "Bob", role="admin")
    assert result.created
    assert result.account.role is Role.ADMIN
    assert result.account.created_at == NOW + timedelta(seconds=1)
    again = books.accounts.sync("bob", "bob@example.org", "Robert")
    assert (again.created, again.account.username, again.account.role) == (
        False,
        "Robert",
        Role.ADMIN,
    )
    assert books.accounts.get("bob") == again.account
    page = books.accounts.list()
    assert [account.user_id for account in page.items] == ["bob", "ada"]
    assert (page.total, page.page, page.total_pages) == (2, 1, 1)
    assert [one.user_id for one in books.accounts.list(role=Role.USER).items] == ["ada"]
    assert books.accounts.list(page=2, limit=2).items == []
    with pytest.raises(NotFound):
        books.accounts.get("nobody")


def test_allocations(books: Accounting) -> None:
    one = books.credits.allocate("ada", 100, "admin", notes="hello", idempotency_key="k")
    assert (one.id, one.total_credits, one.remaining_credits) == (1, 100, 100)
    assert (one.allocated_at, one.effective_at, one.expires_at) == (NOW, NOW, NOW + 30 * DAY)
    assert (one.allocated_by, one.notes, one.revoked_at, one.revoked_by) == (
        "admin",
        "hello",
        None,
        None,
    )
    again = books.credits.allocate("ada", 100, "admin", notes="hello", idempotency_key="k")
    assert again == one
    with pytest.raises(Conflict):
        books.credits.allocate("ada", 101, "admin", notes="hello", idempotency_key="k")
    forever = books.credits.allocate("ada", 1, "admin", never_expires=True)
    assert forever.expires_at is None
    later = books.credits.allocate(
        "ada", 1, "admin", effective_at=NOW + DAY, expires_at=NOW + 2 * DAY
    )
    assert (later.effective_at, later.expires_at) == (NOW + DAY, NOW + 2 * DAY)

    balance = books.credits.balance("ada")
    assert (balance.total_credits, balance.held_credits) == (101, 0)
    assert balance.active_allocations == [one, forever]
    assert books.credits.check("ada", 101) is True
    assert books.credits.check("ada", 102) is False
    assert [item.id for item in books.credits.history("ada", limit=2).items] == [3, 2]

    revoked = books.credits.revoke(1, "ada", "boss")
    assert (revoked.remaining_credits, revoked.revoked_credits) == (0, 100)
    assert (revoked.revoked_at, revoked.revoked_by) == (NOW, "boss")
    assert books.verify().ok


def test_many_allocations_are_all_or_nothing(books: Accounting) -> None:
    good = {"user_id": "ada", "credits": 5, "allocated_by": "admin", "never_expires": True}
    with pytest.raises(NotFound):
        books.credits.allocate_many([good, {**good, "user_id": "nobody"}])
    assert books.credits.balance("ada").total_credits == 0
    answers = books.credits.allocate_many([good, {**good, "credits": 6, "notes": "six"}])
    assert [(one.total_credits, one.notes) for one in answers] == [(5, ""), (6, "six")]


def test_deducting_and_charging(books: Accounting) -> None:
    books.credits.allocate("ada", 10, "admin", expiry_days=1)
    books.credits.allocate("ada", 100, "admin", expiry_days=2)
    deduction = books.credits.deduct("ada", 4)
    assert [(one.allocation_id, one.credits) for one in deduction.slices] == [(1, 4)]
    charge = books.credits.charge("ada", "chat", "model", 8, {"answer": [1, None]}, "key")
    assert [(one.allocation_id, one.credits) for one in charge.deduction.slices] == [(1, 6), (2, 2)]
    record = charge.usage_record
    assert (record.id, record.user_id, record.timestamp) == (1, "ada", NOW)
    assert (record.service, record.operation) == ("chat", "model")
    assert (record.credits, record.collected_credits) == (8, 8)
    assert record.metadata == {"answer": [1, None]}
    assert books.credits.charge("ada", "chat", "model", 8, {"answer": [1, None]}, "key") == charge
    with pytest.raises(InsufficientCredits) as caught:
        books.credits.deduct("ada", 99)
    assert (caught.value.required, caught.value.available) == (99, 98)

    kinds = [entry.kind for entry in books.credits.entries("ada")]
    assert kinds[:3] == [EntryKind.ALLOCATE, EntryKind.ALLOCATE, EntryKind.DEDUCT]
    last = books.credits.entries("ada", after=4)
    assert [(one.sequence, one.credits, one.usage_id) for one in last] == [(5, -2, 1)]


def test_many_charges_stand_each_by_itself(books: Accounting) -> None:
    books.credits.allocate("ada", 10, "admin")
    charge = {"user_id": "ada", "service": "chat", "operation": "model", "credits": 4}
    answers = books.credits.charge_many(
        [charge, {**charge, "credits": 7}, {**charge, "credits": "7"}, charge, {"user_id": "ada"}]
    )
    assert [type(answer) for answer in answers] == [
        Charge,
        InsufficientCredits,
        InvalidArgument,
        Charge,
        InvalidArgument,
    ]
    assert books.credits.balance("ada").total_credits == 2


def test_prices(books: Accounting) -> None:
    rule = books.pricing.set("m", "1.5", "admin", input=Decimal("0.25"), output=3)
    assert (rule.id, rule.price_per_1k_tokens, rule.input) == (1, Decimal("1.5"), Decimal("0.25"))
    assert (rule.output, rule.cached_input, rule.effective_from) == (Decimal(3), None, NOW)
    assert books.pricing.set("m", Decimal("1.50"), "admin", input="0.25", output="3.0") == rule
    with pytest.raises(Conflict):
        books.pricing.set("m", 2, "admin")
    later = books.pricing.set("m", 2, "admin", effective_from=NOW + DAY, effective_to=NOW + 2 * DAY)
    assert books.pricing.get("m", at=NOW + DAY) == later
    assert books.pricing.get("m").effective_to == NOW + DAY
    assert [one.id for one in books.pricing.list("m")] == [1, 2]
    assert books.pricing.list("other") == []
    assert books.pricing.calculate("m", 1_000) == 2
    counts = TokenCounts(input=1_000, output=1_000, cached_input=1_000)
    assert books.pricing.calculate("m", counts) == 5
    assert books.pricing.calculate("m", 1_000, at=NOW + DAY) == 2
    assert books.pricing.calculate("unlisted", 1_000) == 10


def test_a_session_from_beginning_to_end(books: Accounting, clock: ManualClock) -> None:
    books.credits.allocate("ada", 1_000, "admin")
    begun = books.sessions.initialize("s", "ada", "model", 1_200)
    assert (begun.status, begun.estimated_tokens) == (SessionStatus.ACTIVE, 1_200)
    assert (begun.estimated_credits, begun.allocated_credits) == (12, 15)
    assert (begun.started_at, begun.expires_at) == (NOW, NOW + timedelta(hours=1))
    clock.advance(seconds=1)
    reported = books.sessions.report("s", "ada", tokens_so_far=100)
    assert (reported.reported_tokens, reported.last_activity_at) == (100, clock.now())
    extended = books.sessions.extend("s", "ada", 800, idempotency_key="e")
    assert (extended.estimated_tokens, extended.allocated_credits) == (2_000, 24)
    assert books.sessions.active("ada") == books.sessions.all_active() == [extended]
    assert books.credits.balance("ada").held_credits == 24
    settlement = books.sessions.finalize("s", "ada", actual_tokens=870)
    assert settlement.status is SessionStatus.COMPLETED
    assert (settlement.actual_credits, settlement.refund, settlement.overage) == (9, 15, 0)
    assert books.sessions.finalize("s", "ada", 870) == settlement
    with pytest.raises(SessionClosed):
        books.sessions.abort("s", "ada")
    ended = books.sessions.get("s", "ada")
    assert (ended.used_credits, ended.completed_at) == (9, clock.now())
    [record] = books.usage.list("ada")
    assert record.service == "chat-streaming"
    assert record.metadata["session_id"] == "s"
    assert books.verify().ok


def test_sessions_that_end_otherwise(books: Accounting, clock: ManualClock) -> None:
    books.credits.allocate("ada", 1_000, "admin")
    for session_id in ("failed", "aborted", "stale"):
        books.sessions.initialize(session_id, "ada", "model", TokenCounts(input=100))
    failed = books.sessions.finalize("failed", "ada", TokenCounts(input=50), success=False)
    assert failed.status is SessionStatus.FAILED
    aborted = books.sessions.abort("aborted", "ada", TokenCounts(output=1))
    assert (aborted.status, aborted.actual_credits) == (SessionStatus.ABORTED, 1)
    assert books.sessions.expire_stale() == []
    clock.advance(seconds=3_600)
    [expired] = books.sessions.expire_stale(limit=5)
    assert (expired.session_id, expired.status) == ("stale", SessionStatus.EXPIRED)


def test_usage(books: Accounting, clock: ManualClock) -> None:
    record = books.usage.record("ada", "chat", "model", 5, metadata="text", idempotency_key="k")
    assert (record.credits, record.collected_credits, record.metadata) == (5, 0, "text")
    clock.advance(days=1)
    image = {"user_id": "ada", "service": "images", "operation": "sketch", "credits": 7}
    assert books.usage.record_many([image, {**image, "metadata": [1]}]) == 2
    assert [one.id for one in books.usage.list("ada", after=1)] == [2, 3]
    assert books.usage.list("ada", start=NOW, end=NOW + DAY) == [record]
    stats = books.usage.user_stats("ada")
    assert (stats.total_records, stats.total_credits) == (3, 19)
    assert stats.by_service == {"chat": 5, "images": 14}
    assert stats.by_day == {"2026-01-01": 5, "2026-01-02": 14}
    assert stats.by_model == {"model": 5}
    assert [one.id for one in stats.recent_activity] == [3, 2, 1]
    system = books.usage.system_stats(start=NOW + DAY)
    assert (system.total_records, system.by_user) == (2, {"ada": 14})
    with pytest.raises(InvalidArgument):
        books.usage.system_stats(start=NOW + DAY, end=NOW)


def test_the_books_themselves(books: Accounting, url: str) -> None:
    health = books.health()
    assert health.ok, health.problem
    assert (health.service, health.version) == ("accounting", accounting.__version__)
    assert health.database == url.partition(":")[0]
    assert health.schema_version == books.schema_version() == books.migrate() > 0
    report = books.verify()
    assert (report.ok, report.problems, report.accounts) == (True, [], 1)


def test_a_server_is_not_migrated_unasked(url: str) -> None:
    with accounting.open(url, migrate=False) as books:
        assert books.schema_version() == 0
        with pytest.raises(MigrationError) as caught:
            books.accounts.list()
        assert caught.value.code == "migration_error"
        assert not books.health().ok
        assert books.migrate() == books.schema_version() > 0
        assert books.accounts.list().items == []


def test_a_policy_is_kept_with_the_session(url: str, clock: ManualClock) -> None:
    generous = Policy(fallback_price=1, buffer=10_000, session_ttl=timedelta(minutes=5))
    with accounting.open(url, policy=generous, clock=clock, migrate=True) as books:
        books.accounts.sync("ada", "ada@example.org", "Ada")
        books.credits.allocate("ada", 1_000, "admin")
        session = books.sessions.initialize("s", "ada", "model", 1_000)
        assert session.allocated_credits == 2
        assert session.expires_at == NOW + timedelta(minutes=5)


def test_the_database_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ACCOUNTING_DATABASE_URL", url)
    with accounting.open(migrate=True) as books:
        assert books.health().database == url.partition(":")[0]
