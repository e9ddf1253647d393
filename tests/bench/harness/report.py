"""results.json: everything that a run measured."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from costs import Cost
from figures import Figures
from results import Result
from subjects import Subject
from world import World


@dataclass(frozen=True)
class Run:
    """What was measured, and what came of it."""

    results: Sequence[Result]
    rounds: Mapping[Subject, Sequence[Figures]]
    durability: Mapping[str, Mapping[str, str]]  # by database, what it said
    others: Sequence[float]  # before each round, the part of the processors others kept busy
    costs: Sequence[Cost] = ()


def write(run: Run, world: World, path: Path) -> None:
    text = json.dumps(
        {
            "sources": _commit(),
            "processor": machine.processor(),
            "processors": os.cpu_count(),
            "busy_with_others": run.others,
            "postgresql": world.psql("tcp", "SHOW server_version;"),
            "durability": run.durability,
            "costs": [cost.to_json() for cost in run.costs],
            "cases": [_case(result, run.rounds) for result in run.results],
        },
        indent=2,
        ensure_ascii=False,
    )
    path.write_text(text + "\n")


def _case(result: Result, rounds: Mapping[Subject, Sequence[Figures]]) -> dict[str, Any]:
    case = result.case
    return {
        "case": case.name,
        "callers": case.subject.callers,
        "durable": result.durable,
        "measure": case.measure.value,
        "median": result.figures.to_json(),
        "floor": result.floor.to_json() if result.floor else None,
        "ratio": result.ratio,
        "bar": {"limit": case.bar.limit, "at_most": case.bar.at_most} if case.bar else None,
        "missed": result.missed,
        "rounds": [figures.to_json() for figures in rounds[case.subject]],
        "floors": [
            {
                "callers": floor.callers,
                "rounds": [figures.to_json() for figures in rounds[floor]],
            }
            for floor in case.floors
        ],
    }


def _commit() -> str:
    """Of the sources, as git names it; empty where they are not in a repository."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
