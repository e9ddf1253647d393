"""Streaming sessions: begun once, ended once."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from accounting import TokenCounts
from model.answers import plain, session_answer
from model.prices import PriceRules, check_tokens
from model.state import (
    LARGEST_CREDITS,
    Account,
    Allocation,
    Plain,
    Refused,
    Session,
    Tokens,
    ceiling,
    refuse_unless,
    within,
)

SERVICES = {
    "completed": "chat-streaming",
    "failed": "chat-streaming-failed",
    "aborted": "chat-streaming-aborted",
    "expired": "chat-streaming-expired",
}
KINDS = ("input", "output", "cached_input")


def same_form(one: Tokens, other: Tokens) -> bool:
    """Both numbers, or both by kind."""
    return isinstance(one, TokenCounts) == isinstance(other, TokenCounts)


def combined(one: Tokens, other: Tokens, combine: Any) -> Any:
    """Number with number, or kind with kind."""
    if isinstance(one, TokenCounts):
        return TokenCounts(*(combine(getattr(one, kind), getattr(other, kind)) for kind in KINDS))
    return combine(one, other)


class SessionRules(PriceRules):
    """What `books.sessions` does. The books give `use`, `new_allocation` and the rest."""

    use: Any
    new_allocation: Any
    take_back: Any
    replay: Any
    keep: Any

    def initialize(
        self, session_id: str, user_id: str, model_id: str, estimated_tokens: Tokens
    ) -> Plain:
        """Hold the estimate and its buffer; known already: the session as it is."""
        check_tokens(estimated_tokens)
        account = self.account(user_id)
        known = account.sessions.get(session_id)
        if known is not None:
            same = (known.model_id, known.first_estimate) == (model_id, estimated_tokens)
            refuse_unless(same, "conflict")
            return session_answer(known)
        prices = self.prices(model_id)
        estimated = prices.credits(estimated_tokens)
        allocated = self.with_buffer(estimated, self.policy.buffer)
        session = Session(
            session_id, user_id, model_id, estimated_tokens, estimated_tokens, estimated,
            allocated, self.now, self.now, prices, self.policy,
        )  # fmt: skip
        session.slices = account.take(allocated, self.now, "hold")
        account.sessions[session_id] = session
        return session_answer(session)

    def with_buffer(self, estimated: int, buffer: int) -> int:
        """The estimate and so many basis points of it, rounded up."""
        allocated = ceiling(estimated * (1 + Fraction(buffer, 10_000)))
        within(allocated, 0, LARGEST_CREDITS)
        return allocated

    def session(self, session_id: str, user_id: str) -> tuple[Account, Session]:
        """The session, or NotFound."""
        account = self.account(user_id)
        refuse_unless(session_id in account.sessions, "not_found")
        return account, account.sessions[session_id]

    def get_session(self, session_id: str, user_id: str) -> Plain:
        """The session in its present state."""
        return session_answer(self.session(session_id, user_id)[1])

    def report(self, session_id: str, user_id: str, tokens_so_far: Tokens) -> Plain:
        """A sign of life; keeps the largest of each kind."""
        check_tokens(tokens_so_far)
        _, session = self.session(session_id, user_id)
        refuse_unless(session.status == "active", "session_closed")
        refuse_unless(same_form(session.first_estimate, tokens_so_far), "invalid_argument")
        if session.reported_tokens is None:
            session.reported_tokens = tokens_so_far
        else:
            session.reported_tokens = combined(session.reported_tokens, tokens_so_far, max)
        session.last_activity_at = max(session.last_activity_at, self.now)
        return session_answer(session)

    def extend(
        self,
        session_id: str,
        user_id: str,
        additional_tokens: Tokens,
        idempotency_key: str | None = None,
    ) -> Plain:
        """Hold what the estimate of the sum of tokens would have held beyond what is held."""
        request = ("extend", session_id, additional_tokens)
        check_tokens(additional_tokens)
        account = self.account(user_id)
        answer: Plain | None = self.replay(account, idempotency_key, request)
        if answer is not None:
            return answer
        _, session = self.session(session_id, user_id)
        refuse_unless(session.status == "active", "session_closed")
        refuse_unless(same_form(session.first_estimate, additional_tokens), "invalid_argument")
        tokens = combined(session.estimated_tokens, additional_tokens, int.__add__)
        check_tokens(tokens)
        estimated = session.prices.credits(tokens)
        allocated = self.with_buffer(estimated, session.policy.buffer)
        more = account.take(allocated - session.allocated_credits, self.now, "hold")
        session.slices = session.slices + more
        session.estimated_tokens = tokens
        session.estimated_credits = estimated
        session.allocated_credits = allocated
        session.last_activity_at = max(session.last_activity_at, self.now)
        answer = self.keep(account, idempotency_key, request, session_answer(session))
        return answer

    def finalize(
        self, session_id: str, user_id: str, actual_tokens: Tokens, success: bool = True
    ) -> Plain:
        """End as completed or failed."""
        status = "completed" if success else "failed"
        return self._end(session_id, user_id, actual_tokens, status)

    def abort(self, session_id: str, user_id: str, tokens_generated: Tokens = 0) -> Plain:
        """End early; 0 is none in either form."""
        check_tokens(tokens_generated)
        _, session = self.session(session_id, user_id)
        if tokens_generated == 0 and isinstance(session.first_estimate, TokenCounts):
            tokens_generated = TokenCounts()
        return self._end(session_id, user_id, tokens_generated, "aborted")

    def _end(self, session_id: str, user_id: str, tokens: Tokens, status: str) -> Plain:
        check_tokens(tokens)
        account, session = self.session(session_id, user_id)
        if session.status != "active":
            refuse_unless(session.ended_by == (status, tokens), "session_closed")
            assert session.settlement is not None
            return session.settlement
        refuse_unless(same_form(session.first_estimate, tokens), "invalid_argument")
        return self._settle(account, session, tokens, status)

    def expire_stale(self, limit: int = 1_000) -> list[Plain]:
        """End what gave no sign of life, the longest silent first."""
        within(limit, 1, 1_000)
        stale = [
            (one.last_activity_at, one.user_id, one.session_id, account)
            for account in self.every()
            for one in account.sessions.values()
            if one.status == "active" and one.expires_at <= self.now
        ]
        stale.sort(key=lambda one: one[:3])
        settlements = []
        for _, _, session_id, account in stale[:limit]:
            session = account.sessions[session_id]
            nothing: Tokens = TokenCounts() if session.first_estimate.__class__ is not int else 0
            reported = nothing if session.reported_tokens is None else session.reported_tokens
            settlements.append(self._settle(account, session, reported, "expired"))
        return settlements

    def _settle(self, account: Account, session: Session, tokens: Tokens, status: str) -> Plain:
        used = session.prices.credits(tokens)
        refund = max(0, session.allocated_credits - used)
        overage = max(0, used - session.allocated_credits)
        self._give_back(account, session, refund, status)
        collected = 0
        if session.policy.overage == "charge":
            collected = min(overage, account.available(self.now))
            account.take(collected, self.now, "overage")
        uncollected = overage - collected if session.policy.overage == "charge" else 0
        session.status = status
        session.used_credits = used
        session.completed_at = self.now
        session.ended_by = (status, tokens)
        session.settlement = {
            "user_id": session.user_id,
            "session_id": session.session_id,
            "status": status,
            "estimated_credits": session.estimated_credits,
            "allocated_credits": session.allocated_credits,
            "actual_credits": used,
            "refund": refund,
            "overage": overage,
            "uncollected": uncollected,
        }
        metadata = {
            "session_id": session.session_id,
            "tokens": plain(tokens),
            "estimated_credits": session.estimated_credits,
            "duration": max(0.0, (self.now - session.started_at) / timedelta(seconds=1)),
        }
        paid = min(used, session.allocated_credits) + collected
        self.use(account, SERVICES[status], session.model_id, used, paid, metadata)
        return session.settlement

    def _give_back(self, account: Account, session: Session, refund: int, status: str) -> None:
        """What was taken last goes back first; what was taken before it pays for the use."""
        moved = session.policy.refund == "new_allocation"
        rest, fresh_credits = refund, 0
        for allocation, held in reversed(session.slices):
            back = min(rest, held)
            rest -= back
            allocation.held_credits -= held
            allocation.consumed_credits += held - back
            account.note(allocation, "settle", 0, back - held)
            if moved and allocation.revoked_at is None:
                fresh_credits += back
                allocation.moved_credits += back
                account.note(allocation, "move", 0, -back)
            else:
                self._return(account, allocation, back)
        if fresh_credits > 0:
            if status == "aborted":
                notes = f"Partial refund from aborted streaming session {session.session_id}"
            else:
                notes = f"Refund from streaming session {session.session_id}"
            expires_at = self.now + timedelta(days=session.policy.refund_expiry_days)
            fresh = self.new_allocation(
                account, fresh_credits, "system", self.now, expires_at, notes
            )
            account.note(fresh, "allocate", fresh_credits)

    def _return(self, account: Account, allocation: Allocation, credits: int) -> None:
        allocation.remaining_credits += credits
        account.note(allocation, "refund", credits, -credits)
        if allocation.revoked_at is not None:
            # What comes back of a revoked allocation is revoked too.
            self.take_back(account, allocation, credits)


__all__ = ["Refused", "SessionRules"]
