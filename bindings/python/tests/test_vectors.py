"""The recorded scenarios of the original service, replayed through Python on both databases."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import accounting
from accounting import Accounting, InsufficientCredits, ManualClock, Policy
from databases import WHY_NOT, has_postgresql, postgresql_database, psql

SHARED = "ACCOUNTING_SHARED"
DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

Step = dict[str, Any]


def scenarios() -> list[Any]:
    folder = os.environ.get(SHARED)
    if not folder:
        return [
            pytest.param(None, id="none", marks=pytest.mark.skip(f"SKIPPED: {SHARED} is unset"))
        ]
    recorded = json.loads((Path(folder) / "vectors" / "original_service.json").read_text())
    return [pytest.param(scenario, id=scenario["name"]) for scenario in recorded]


# --- what a step answers, in the form of the recording -------------------------------------------


def allocate(books: Accounting, step: Step) -> None:
    books.credits.allocate(step["user_id"], step["credits"], "admin", step["expiry_days"])


def deduct(books: Accounting, step: Step) -> None:
    books.credits.deduct(step["user_id"], step["credits"])


def check(books: Accounting, step: Step) -> Step:
    return {"sufficient": books.credits.check(step["user_id"], step["credits"])}


def calculate(books: Accounting, step: Step) -> Step:
    return {"credits": books.pricing.calculate(step["model_id"], step["tokens"])}


def initialize(books: Accounting, step: Step) -> Step:
    session = books.sessions.initialize(
        step["session_id"], step["user_id"], step["model_id"], step["estimated_tokens"]
    )
    return {
        "estimated_credits": session.estimated_credits,
        "allocated_credits": session.allocated_credits,
    }


def finalize(books: Accounting, step: Step) -> Step:
    settlement = books.sessions.finalize(
        step["session_id"], step["user_id"], step["actual_tokens"], step["success"]
    )
    return {
        "status": settlement.status.value,
        "estimated_credits": settlement.estimated_credits,
        "actual_credits": settlement.actual_credits,
        # The original's refund read negative where use went beyond the hold.
        "refund": settlement.refund - settlement.overage,
    }


def abort(books: Accounting, step: Step) -> Step:
    settlement = books.sessions.abort(step["session_id"], step["user_id"], step["tokens_generated"])
    return {
        "status": settlement.status.value,
        "partial_credits": settlement.actual_credits,
        "refund": settlement.refund - settlement.overage,
    }


def balance(books: Accounting, step: Step) -> Step:
    answer = books.credits.balance(step["user_id"])
    return {
        "total_credits": answer.total_credits,
        "active_allocations": [
            {
                "credits": allocation.remaining_credits,
                "expires_in_days": round((allocation.expires_at - NOW) / DAY),
            }
            for allocation in answer.active_allocations
            if allocation.expires_at is not None
        ],
    }


def user_stats(books: Accounting, step: Step) -> Step:
    stats = books.usage.user_stats(step["user_id"]).to_dict()
    return {name: stats[name] for name in step["result"]}


def system_stats(books: Accounting, step: Step) -> Step:
    stats = books.usage.system_stats().to_dict()
    return {name: stats[name] for name in step["result"]}


def active_sessions(books: Accounting, step: Step) -> list[str]:
    return sorted(session.session_id for session in books.sessions.active(step["user_id"]))


OPERATIONS: dict[str, Callable[[Accounting, Step], object]] = {
    operation.__name__: operation
    for operation in (
        *(allocate, deduct, check, calculate, initialize, finalize, abort),
        *(balance, user_stats, system_stats, active_sessions),
    )
}


def replay(books: Accounting, scenario: Step) -> int:
    """Replays a scenario on empty books; answers the number of answers compared."""
    for user_id in scenario["users"]:
        books.accounts.sync(user_id, f"{user_id}@example.org", user_id)
    for price in scenario["pricing"]:
        books.pricing.set(
            price["model_id"], price["price_per_1k_tokens"], "admin", effective_from=NOW - DAY
        )
    compared = 0
    for number, step in enumerate(scenario["steps"]):
        try:
            answer = OPERATIONS[step["op"]](books, step)
        except InsufficientCredits as error:
            assert error.code == step.get("error"), f"step {number}: {step}"
            compared += 1
            continue
        assert "error" not in step, f"step {number}: {step}\nanswered {answer}"
        if "result" in step:
            assert answer == step["result"], f"step {number}: {step}"
            compared += 1
    assert books.verify().ok
    return compared


# --- on both databases ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty_books(request: pytest.FixtureRequest) -> Iterator[Callable[[], Accounting]]:
    """Opens books that are empty, again and again."""
    options: dict[str, Any] = {
        "policy": Policy.original(),
        "clock": ManualClock(NOW),
        "migrate": True,
    }
    if request.param == "sqlite":
        yield lambda: accounting.open("sqlite://", **options)
        return
    if not has_postgresql():
        pytest.skip(WHY_NOT)
    with postgresql_database() as url:
        accounting.open(url, migrate=True).close()
        tables = psql(
            url,
            "SELECT string_agg(tablename, ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'",
        )

        def emptied() -> Accounting:
            # As a replica, for which the triggers that keep journal and audit trail are off.
            psql(url, f"SET session_replication_role = replica; TRUNCATE {tables}")
            return accounting.open(url, **options)

        yield emptied


@pytest.mark.parametrize("scenario", scenarios())
def test_the_original_service_answered_the_same(
    empty_books: Callable[[], Accounting], scenario: Step
) -> None:
    with empty_books() as books:
        assert replay(books, scenario) > 0
