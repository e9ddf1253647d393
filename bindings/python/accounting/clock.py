"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounting import _core
from accounting.errors import InvalidArgument

__all__ = ["ManualClock"]

_YEARS = "an instant in the years 1970 to 9999"


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
        """Stand at `start`, an aware datetime of any time zone, in the years 1970 to 9999.

        Raises:
            InvalidArgument: it is naive, or outside those years.
        """
        self._core = _core.ManualClock(start)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return self._core.now()

    def advance(self, days: float = 0, seconds: float = 0) -> None:
        """Move by days of 24 hours and seconds, to the microsecond; backwards where negative.

        Raises:
            InvalidArgument: not numbers, or out of the years 1970 to 9999.
        """
        parts = {name: _part(name, n) for name, n in (("days", days), ("seconds", seconds))}
        # Where both together go too far, the one that goes farther is named.
        name = max(parts, key=lambda part: abs(parts[part]))
        try:
            step = timedelta(days=days, seconds=seconds)
        except OverflowError:
            raise InvalidArgument(name, _YEARS) from None
        self._core.advance(step, name)

    def set(self, now: datetime) -> None:
        """Move to `now`, an aware datetime of any time zone; it may lie in the past.

        Raises:
            InvalidArgument: it is naive, or outside the years 1970 to 9999.
        """
        self._core.set(now)

    def __repr__(self) -> str:
        """For people."""
        return f"ManualClock({self.now()!r})"


def _part(name: str, amount: float) -> timedelta:
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise InvalidArgument(name, f"a number, not {amount!r}")
    try:
        return timedelta(**{name: amount})
    except (OverflowError, ValueError):
        raise InvalidArgument(name, _YEARS) from None
