"""The machine that is measured on."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS = Path("/proc/stat")


def busy_with_others(seconds: float = 1) -> float:
    """The part of the processors' time that is in use while this process sleeps."""
    if not _TICKS.exists():
        return 0.0
    idle, total = _idle_and_total()
    time.sleep(seconds)
    idle_after, total_after = _idle_and_total()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def _idle_and_total() -> tuple[int, int]:
    # cpu user nice system idle iowait …
    ticks = [int(number) for number in _TICKS.read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def processor() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
