"""Results: the figures of a case beside its floor, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cases import Case, Measure
from figures import Figures, medians
from subjects import Subject

Rounds = Mapping[Subject, Sequence[Figures]]


@dataclass(frozen=True)
class Result:
    """A line of the table, with its numbers."""

    case: Case
    figures: Figures
    floor: Figures | None
    ratio: float
    durable: bool | None  # none: nothing is committed

    @property
    def missed(self) -> bool:
        return self.case.bar is not None and self.case.bar.missed_by(self.ratio)

    @property
    def complaint(self) -> str:
        """The line that says that the bar was missed."""
        assert self.case.bar is not None
        sign = ">" if self.case.bar.at_most else "<"
        ratio, limit = plain(self.ratio), plain(self.case.bar.limit)
        if ratio == limit:  # a near miss, which is one all the same
            ratio = repr(self.ratio)
        return f"below bar: {self.case.name} {ratio} {sign} {limit}"


def judge(case: Case, rounds: Rounds, durable: Mapping[str, bool]) -> Result:
    figures = medians(rounds[case.subject])
    floors = [medians(rounds[floor]) for floor in case.floors]
    best = max(floors, key=lambda floor: floor.per_second) if floors else None
    if case.measure is Measure.PER_SECOND:
        ratio = figures.per_second
    else:
        assert best is not None
        ratio = (
            figures.per_second / best.per_second
            if case.measure is Measure.THROUGHPUT
            else figures.p50 / best.p50
        )
    return Result(case, figures, best, ratio, durable[case.database] if case.database else None)


def plain(number: float) -> str:
    """Three significant digits, or all of those before the point; no zeros at the end."""
    if abs(number) >= 100:
        return f"{number:.0f}"
    return f"{number:.3g}"
