"""What can be read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from model.answers import allocation_answer, plain, session_answer, usage_answer
from model.state import (
    LARGEST_CREDITS,
    Account,
    Plain,
    Session,
    State,
    Usage,
    refuse_unless,
    within,
)


def oldest_first(session: Session) -> tuple[datetime, str, str]:
    """Sorts sessions by their start."""
    return (session.started_at, session.user_id, session.session_id)


class Queries(State):
    """Balance, history, journal, sessions, usage."""

    def account_answer(self, account: Account) -> Plain:
        """A UserAccount."""
        names = ("user_id", "email", "username", "role", "created_at", "updated_at")
        return {name: plain(getattr(account, name)) for name in names}

    def get(self, user_id: str) -> Plain:
        """The account."""
        return self.account_answer(self.account(user_id))

    def list_accounts(self, role: str | None, page: int, limit: int) -> Plain:
        """Accounts, newest first, those of one instant by id, the last first."""
        found = [one for one in self.every() if role is None or one.role == role]
        found.sort(key=lambda one: (one.created_at, one.user_id), reverse=True)
        return {
            "items": [self.account_answer(one) for one in found[(page - 1) * limit : page * limit]],
            "total": len(found),
            "page": page,
            "total_pages": -(-len(found) // limit),
        }

    def check(self, user_id: str, credits: int) -> bool:
        """Whether so much can be spent now; nothing always can."""
        within(credits, 0, LARGEST_CREDITS)
        return self.account(user_id).available(self.now) >= credits

    def balance(self, user_id: str) -> Plain:
        """What can be spent now."""
        account = self.account(user_id)
        return {
            "total_credits": account.available(self.now),
            "held_credits": sum(one.held_credits for one in account.allocations),
            "active_allocations": [allocation_answer(one) for one in account.burn_order(self.now)],
        }

    def history(self, user_id: str, page: int, limit: int) -> Plain:
        """Allocations, newest first."""
        every = self.account(user_id).allocations
        newest = sorted(every, key=lambda one: one.id, reverse=True)
        items = newest[(page - 1) * limit : page * limit]
        return {
            "items": [allocation_answer(one) for one in items],
            "total": len(every),
            "page": page,
            "total_pages": -(-len(every) // limit),
        }

    def journal_sums(self, user_id: str) -> dict[tuple[int, str], list[int]]:
        """(allocation id, kind) → summed changes of remaining and held credits, where not 0."""
        sums = self.account(user_id).journal
        return {place: both for place, both in sorted(sums.items()) if any(both)}

    def active_sessions(self, user_id: str) -> list[Plain]:
        """The account's, oldest first."""
        sessions = self.account(user_id).sessions.values()
        return self._active(sessions)

    def all_active(self) -> list[Plain]:
        """Everybody's, oldest first."""
        return self._active(one for account in self.every() for one in account.sessions.values())

    def _active(self, sessions: Iterable[Session]) -> list[Plain]:
        active = [one for one in sessions if one.status == "active"]
        return [session_answer(one) for one in sorted(active, key=oldest_first)]

    def list_usage(
        self,
        user_id: str,
        start: datetime | None,
        end: datetime | None,
        after: int = 0,
        limit: int = 100,
    ) -> list[Plain]:
        """Records of a range, oldest first."""
        _check_range(start, end)
        found = self._used(self.account(user_id), start, end)
        return [usage_answer(one) for one in found if one.id > after][:limit]

    def _used(self, account: Account, start: datetime | None, end: datetime | None) -> list[Usage]:
        return [
            one
            for one in account.usage
            if (start is None or start <= one.timestamp) and (end is None or one.timestamp < end)
        ]

    def user_stats(self, user_id: str, start: datetime | None, end: datetime | None) -> Plain:
        """One account's use."""
        _check_range(start, end)
        used = self._used(self.account(user_id), start, end)
        newest = sorted(used, key=lambda one: (one.timestamp, one.id), reverse=True)
        return {**_sums(used), "recent_activity": [usage_answer(one) for one in newest[:10]]}

    def system_stats(self, start: datetime | None, end: datetime | None) -> Plain:
        """Everybody's use."""
        _check_range(start, end)
        used = [one for account in self.every() for one in self._used(account, start, end)]
        return {**_sums(used), "by_user": _by(used, lambda one: one.user_id)}


def _check_range(start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None:
        refuse_unless(start <= end, "invalid_argument")


def _by(used: list[Usage], name: Any) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in used:
        sums[name(one)] = sums.get(name(one), 0) + one.credits
    return sums


def _sums(used: list[Usage]) -> Plain:
    chats = [one for one in used if one.service == "chat" or one.service.startswith("chat-")]
    return {
        "total_records": len(used),
        "total_credits": sum(one.credits for one in used),
        "by_service": _by(used, lambda one: one.service),
        "by_day": _by(used, lambda one: one.timestamp.date().isoformat()),
        "by_model": _by(chats, lambda one: one.operation),
    }
