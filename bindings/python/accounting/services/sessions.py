"""Sessions: credits held while an answer is generated, settled exactly once when it ends."""

from __future__ import annotations

from accounting import _core
from accounting.values import Settlement, StreamingSession, TokenCounts

__all__ = ["Sessions"]


class Sessions:
    """Streaming sessions, identified by user and session id. Begun once, ended once.

    A `user_id` has 1 to 50 bytes, a `session_id` 1 to 100 and is unique within the account.

    The same call with the same arguments again answers the same and changes nothing, so every
    call but `extend` without a key may be repeated after a lost answer. Tokens are a number from 0
    to 10^12 or a TokenCounts; a session keeps the form it began with. Thread-safe; keeps the books
    open. Every call may raise InvalidArgument, NotFound and StoreError.

    >>> import accounting
    >>> books = accounting.open("sqlite://", policy=accounting.Policy(fallback_price="10"))
    >>> _ = books.accounts.sync("ada", "ada@example.org", "Ada")
    >>> _ = books.credits.allocate("ada", 1_000, allocated_by="admin")
    >>> books.sessions.initialize("s-1", "ada", "some-model", 1_200).allocated_credits
    15
    >>> settlement = books.sessions.finalize("s-1", "ada", actual_tokens=870)
    >>> settlement.actual_credits, settlement.refund
    (9, 6)
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Sessions) -> None:
        """For `books.sessions`; not for callers."""
        self._core = core

    def initialize(
        self, session_id: str, user_id: str, model_id: str, estimated_tokens: int | TokenCounts
    ) -> StreamingSession:
        """Begin a session and hold its estimate and the policy's buffer.

        Price and policy are kept with it. Known already: the stored session in its present state.

        Args:
            session_id: 1 to 100 bytes, unique within the account.
            user_id: who pays: 1 to 50 bytes.
            model_id: 1 to 100 bytes.
            estimated_tokens: for the whole answer, prompt included.

        Raises:
            Conflict: it is known with other arguments.
            PriceNotFound: the model has no price.
            InsufficientCredits: nothing is held, and the id stays free.
        """
        return self._core.initialize(session_id, user_id, model_id, estimated_tokens)

    def get(self, session_id: str, user_id: str) -> StreamingSession:
        """The session in its present state."""
        return self._core.get(session_id, user_id)

    def report(
        self, session_id: str, user_id: str, tokens_so_far: int | TokenCounts
    ) -> StreamingSession:
        """Give a sign of life, and keep the largest number of tokens since the session began.

        Raises:
            SessionClosed: it has ended.
        """
        return self._core.report(session_id, user_id, tokens_so_far)

    def extend(
        self,
        session_id: str,
        user_id: str,
        additional_tokens: int | TokenCounts,
        idempotency_key: str | None = None,
    ) -> StreamingSession:
        """Raise the estimate and hold the difference, all or nothing.

        Args:
            session_id: which.
            user_id: whose.
            additional_tokens: on top of the estimate.
            idempotency_key: makes the call safe to repeat: 1 to 255 bytes, unique per user.

        Raises:
            SessionClosed: it has ended.
            InsufficientCredits: nothing more is held; the session goes on.
            Conflict: the key was used for another request.
        """
        return self._core.extend(session_id, user_id, additional_tokens, idempotency_key)

    def finalize(
        self,
        session_id: str,
        user_id: str,
        actual_tokens: int | TokenCounts,
        success: bool = True,
    ) -> Settlement:
        """End the session with what it really used.

        Args:
            session_id: which.
            user_id: whose.
            actual_tokens: since the session began.
            success: False: it ends as failed; what was used is paid all the same.

        Raises:
            SessionClosed: it was ended by another call or with other arguments.
        """
        return self._core.finalize(session_id, user_id, actual_tokens, success)

    def abort(
        self, session_id: str, user_id: str, tokens_generated: int | TokenCounts = 0
    ) -> Settlement:
        """End the session early, for the tokens generated until then; 0 is none in either form.

        Raises:
            SessionClosed: it was ended by another call or with other arguments.
        """
        return self._core.abort(session_id, user_id, tokens_generated)

    def active(self, user_id: str) -> list[StreamingSession]:
        """The account's active sessions, oldest first."""
        return self._core.active(user_id)

    def all_active(self) -> list[StreamingSession]:
        """Every account's active sessions, oldest first."""
        return self._core.all_active()

    def expire_stale(self, limit: int = 1_000) -> list[Settlement]:
        """End sessions that gave no sign of life for their policy's `session_ttl`.

        Charged for the tokens last reported, the rest refunded; oldest sign of life first. Safe to
        run twice, or in two places. Where a commit was not confirmed, sessions that this call ended
        may be missing from its answer.

        Args:
            limit: sessions at most: 1 to 1,000.
        """
        return self._core.expire_stale(limit)
