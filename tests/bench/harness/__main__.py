"""Measures the cases beside their floors; tests/bench/run says how it is called."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import chart
import report
from cases import Case, all_cases
from costs import Cost, cost_table, measure_cost
from figures import Figures
from machine import busy_with_others
from preparation import durable, forget_rows_alone, prepare, problems
from results import Result, judge
from subjects import Subject
from table import table
from world import Failed, Window, World

PROXY_DELAY = 500  # microseconds each way


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/run", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="", type=re.compile)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--output", type=Path)
    # By tests/bench/run itself.
    for name in ("program", "python", "postgresql", "directory"):
        parser.add_argument(f"--{name}", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rounds < 1 or (given.seconds is not None and given.seconds < 1):
        parser.error("rounds and seconds are at least 1")
    return given


def measure_round(
    world: World, cases: Sequence[Case], window: Window, rounds: dict[Subject, list[Figures]]
) -> None:
    """Every floor right before the first case that it is for: whatever slows the machine down for
    a while slows both."""
    measured: set[Subject] = set()
    for case in cases:
        for subject in (*case.floors, case.subject):
            if subject not in measured:
                rounds[subject].append(subject.measure(world, window))
                measured.add(subject)


def measure(world: World, cases: Sequence[Case], window: Window, count: int) -> report.Run:
    rounds: dict[Subject, list[Figures]] = defaultdict(list)
    others = []
    with world.proxy(PROXY_DELAY):
        for number in range(1, count + 1):
            begin = time.monotonic()
            others.append(busy_with_others())
            measure_round(world, cases, window, rounds)
            print(
                f"round {number} of {count}: {time.monotonic() - begin:.0f} s; before it, other "
                f"programs kept {others[-1]:.0%} of the processors busy",
                flush=True,
            )
    said = {case.database: durable(world, case.database) for case in cases if case.database}
    results = [
        judge(case, rounds, {name: answer for name, (answer, _) in said.items()}) for case in cases
    ]
    return report.Run(
        results, dict(rounds), {name: words for name, (_, words) in said.items()}, others
    )


def measure_costs(world: World, cases: Sequence[Case], window: Window) -> list[Cost]:
    if any(case.cost for case in cases):
        forget_rows_alone(world)
    measured: dict[Subject, str] = {}
    for case in cases:
        if case.cost:
            measured.setdefault(case.floors[-1], f"the floor, {case.floors[-1].callers} callers")
            measured[case.subject] = case.name
    return [measure_cost(world, name, subject, window) for subject, name in measured.items()]


def closing_lines(results: Sequence[Result]) -> list[str]:
    failed = [
        f"failed: {result.case.name}: {result.figures.failures} calls, {result.figures.failure}"
        for result in results
        if result.figures.failures
    ]
    return failed + [result.complaint for result in results if result.missed]


def main() -> int:
    given = arguments()
    cases = [case for case in all_cases(given.quick) if given.only.search(case.name)]
    if not cases:
        sys.exit("tests/bench/run: --only names no case (see --list)")
    if given.list:
        print("\n".join(case.name for case in cases))
        return 0
    world = World(
        given.program,
        given.python,
        given.postgresql,
        given.directory,
        os.environ["ACCOUNTING_TEST_POSTGRESQL"],
    )
    seconds = given.seconds or (2 if given.quick else 4)
    begin = time.monotonic()
    prepare(world, cases)
    print(f"databases made: {time.monotonic() - begin:.0f} s", flush=True)
    window = Window(seconds, warm_up=seconds / 4)
    run = measure(world, cases, window, given.rounds)
    print(f"\n{table(run.results)}\n")
    output = given.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    # Before the costs too, which may fail: what the rounds took their time for is not lost then.
    report.write(run, world, output / "results.json")
    run = dataclasses.replace(run, costs=measure_costs(world, cases, window))
    report.write(run, world, output / "results.json")
    if run.costs:
        print(f"{cost_table(run.costs)}\n")
    chart.write(run.rounds, output / "throughput.svg")
    lines = closing_lines(run.results)
    if not given.quick:
        lines = [*problems(world, sorted(set(run.durability) & {"tcp", "file"})), *lines]
    print("\n".join(lines) if lines else "every bar is met")
    return 1 if lines else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"tests/bench/run: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
