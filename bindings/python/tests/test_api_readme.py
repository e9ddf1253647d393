"""The READMEs' examples run and print what the READMEs say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from readme import first_look, quickstart


@pytest.mark.parametrize("example", [quickstart, first_look])
def test_an_example_prints_what_the_readme_says(example: Callable[[], tuple[str, str]]) -> None:
    program, output = example()
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == output
