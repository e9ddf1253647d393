"""The judgement of tests/bench: medians, floors, bars, and what is printed of them."""

from __future__ import annotations

import dataclasses
import sys
import unittest
import xml.etree.ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "harness"))

import chart
from cases import Bar, Case, Measure, all_cases
from costs import ONE_ROW_EACH, Snapshot, cost, cost_table
from figures import Figures
from results import Result, judge
from subjects import Bench, PgbenchFloor, Subject
from table import table
from world import Failed

CASE = Bench("charge", "tcp", series="charge, spread")
SLOW = PgbenchFloor("write", "tcp", 1, series="floor, spread")
FAST = PgbenchFloor("write", "tcp", 8, series="floor, spread")
ROUNDS: dict[Subject, list[Figures]] = {
    # One round of each went badly.
    CASE: [Figures(400, 2_500, 9_000), Figures(1, 90_000, 90_000), Figures(390, 2_600, 9_100)],
    SLOW: [Figures(1_000), Figures(990), Figures(10)],
    FAST: [Figures(2_000, 1_000), Figures(20, 50_000), Figures(2_010, 1_010)],
}


def judged(bar: Bar | None, measure: Measure = Measure.THROUGHPUT) -> Result:
    case = Case("charge, 1 caller", CASE, (SLOW, FAST), measure, bar, database="tcp")
    return judge(case, ROUNDS, {"tcp": True})


class Judgement(unittest.TestCase):
    def test_the_ratio_is_that_of_the_medians_to_the_best_floor(self) -> None:
        assert judged(None).ratio == 390 / 2_000
        assert judged(None, Measure.TIME).ratio == 2_600 / 1_010
        assert judged(None, Measure.PER_SECOND).ratio == 390

    def test_a_bar_is_missed_or_met(self) -> None:
        assert not judged(None).missed
        assert not judged(Bar(0.195)).missed
        assert judged(Bar(0.2)).missed
        assert judged(Bar(0.19, at_most=True)).missed
        assert not judged(Bar(0.195, at_most=True)).missed

    def test_what_is_said_of_a_missed_bar(self) -> None:
        assert judged(Bar(0.4)).complaint == "below bar: charge, 1 caller 0.195 < 0.4"
        assert (
            judged(Bar(2.2, at_most=True), Measure.TIME).complaint
            == "below bar: charge, 1 caller 2.57 > 2.2"
        )
        assert (
            judged(Bar(30000), Measure.PER_SECOND).complaint
            == "below bar: charge, 1 caller 390 < 30000"
        )

    def test_a_near_miss_does_not_read_as_a_hit(self) -> None:
        near = dataclasses.replace(judged(Bar(0.4)), ratio=0.39999)
        assert near.complaint == "below bar: charge, 1 caller 0.39999 < 0.4"


class Costs(unittest.TestCase):
    BEFORE = Snapshot(operations=100, wal=5_000, size=81_920, updates=40, hot_updates=40)
    AFTER = Snapshot(operations=300, wal=205_000, size=163_840, updates=440, hot_updates=340)

    def test_a_cost_is_what_was_added_by_operation(self) -> None:
        found = cost("charge", self.BEFORE, self.AFTER)
        assert (found.operations, found.wal, found.size) == (200, 1_000, 409.6)
        assert (found.updates, found.hot) == (2, 0.75)

    def test_nothing_is_told_of_nothing(self) -> None:
        with self.assertRaises(Failed):  # noqa: PT027 – runs where there is no pytest
            cost("charge", self.BEFORE, self.BEFORE)
        idle = dataclasses.replace(self.AFTER, updates=40, hot_updates=40)
        assert cost("charge", self.BEFORE, idle).hot is None

    def test_the_table_shows_it(self) -> None:
        line = cost_table([cost("charge", self.BEFORE, self.AFTER)]).splitlines()[-1]
        assert line.split("  ")[0] == "charge"
        for cell in ("1,000 B", "410 B", "2.00", "75.0%"):
            assert cell in line

    def test_whatever_has_a_cost_can_be_counted(self) -> None:
        commands = {
            case.subject.command
            for case in all_cases(quick=False)
            if case.cost and isinstance(case.subject, Bench)
        }
        assert commands == {"charge", "charge_many", "session"}
        assert commands <= ONE_ROW_EACH.keys()


class Output(unittest.TestCase):
    def test_the_table_shows_what_failed(self) -> None:
        result = judged(Bar(0.4))
        figures = dataclasses.replace(result.figures, failures=2, failure="no")
        text = table([dataclasses.replace(result, figures=figures)])
        line = text.splitlines()[-1]
        for cell in ("charge, 1 caller", "2.6 ms", "390/s", "yes", "2,000/s", "0.20", "≥ 0.4"):
            assert cell in line
        assert line.endswith("missed, 2 failed: no")

    def test_the_chart_is_a_drawing(self) -> None:
        root = xml.etree.ElementTree.fromstring(
            chart.svg({"floor, spread": [(1, 990.0), (8, 2_000.0)], "charge, hot": [(64, 9.5)]})
        )
        assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 3

    def test_every_case_has_a_name_of_its_own(self) -> None:
        for quick in (True, False):
            names = [case.name for case in all_cases(quick)]
            assert len(set(names)) == len(names)

    def test_every_line_of_the_chart_has_a_style(self) -> None:
        for case in all_cases(quick=False):
            for subject in (case.subject, *case.floors):
                assert subject.series in {"", *chart.STYLES}


if __name__ == "__main__":
    unittest.main()
