"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounting import _core
from accounting.errors import InvalidArgument

__all__ = ["ManualClock"]


class ManualClock:
    """A clock for tests, simulations and replays: pass it to `accounting.open`. Thread-safe.

    >>> from datetime import datetime, timezone
    >>> clock = ManualClock(datetime(2026, 1, 31, tzinfo=timezone.utc))
    >>> clock.advance(days=1, seconds=0.5)
    >>> clock.now()
    datetime.datetime(2026, 2, 1, 0, 0, 0, 500000, tzinfo=datetime.timezone.utc)
    """

    __slots__ = ("_core",)

    def __init__(self, start: datetime) -> None:
        """Stand at `start`, an aware datetime of any time zone.

        Raises:
            InvalidArgument: it is naive.
        """
        self._core = _core.ManualClock(start)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return self._core.now()

    def advance(self, days: float = 0, seconds: float = 0) -> None:
        """Move by days of 24 hours and seconds, to the microsecond; backwards where negative.

        Raises:
            InvalidArgument: not numbers, or beyond the years 1 to 9999.
        """
        for name, amount in (("days", days), ("seconds", seconds)):
            if isinstance(amount, bool) or not isinstance(amount, (int, float)):
                raise InvalidArgument(name, f"a number, not {amount!r}")
        try:
            step = timedelta(days=days, seconds=seconds)
            _ = self.now() + step
        except (OverflowError, ValueError):
            raise InvalidArgument("days", "an instant in the years 1 to 9999") from None
        self._core.advance(step)

    def set(self, now: datetime) -> None:
        """Move to `now`, an aware datetime of any time zone; it may lie in the past.

        Raises:
            InvalidArgument: it is naive.
        """
        self._core.set(now)

    def __repr__(self) -> str:
        """For people."""
        return f"ManualClock({self.now()!r})"
