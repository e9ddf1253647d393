"""Figures: what was measured, and the medians over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figures:
    """Of one measurement, or the medians of several."""

    per_second: float
    p50: float = 0  # microseconds; 0 where it was not measured
    p99: float = 0
    failures: int = 0
    failure: str = ""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def medians(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure; failures are added up."""
    failed = [figures for figures in rounds if figures.failures]
    return Figures(
        per_second=statistics.median(figures.per_second for figures in rounds),
        p50=statistics.median(figures.p50 for figures in rounds),
        p99=statistics.median(figures.p99 for figures in rounds),
        failures=sum(figures.failures for figures in failed),
        failure=failed[0].failure if failed else "",
    )
