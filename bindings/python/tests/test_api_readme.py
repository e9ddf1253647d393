"""The README's example runs and prints what the README says."""

from __future__ import annotations

import subprocess
import sys

from readme import quickstart


def test_the_quickstart_prints_what_the_readme_says() -> None:
    program, output = quickstart()
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == output
