"""The committed stub of the module is what the built module has, and the types are right."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run_tool(*command: str) -> None:
    """Runs a Python tool over the checkout; skips, loudly, where it is not installed."""
    if importlib.util.find_spec(command[0]) is None:
        pytest.skip(f"SKIPPED: {command[0]} is not installed (pip install '.[test]')")
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}{run.stderr}"


def test_the_stub_is_what_the_module_has() -> None:
    for tool in ("pybind11_stubgen", "ruff"):
        if importlib.util.find_spec(tool) is None:
            pytest.skip(f"SKIPPED: {tool} is not installed (pip install '.[test]')")
    run = subprocess.run(
        [sys.executable, "bindings/python/stubs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, f"run python bindings/python/stubs.py\n{run.stdout}{run.stderr}"


def test_mypy_strict() -> None:
    run_tool("mypy")


def test_pyright() -> None:
    run_tool("pyright", "--pythonpath", sys.executable)


def test_ruff() -> None:
    run_tool("ruff", "check", "bindings/python", "examples/python")
    run_tool("ruff", "format", "--check", "bindings/python", "examples/python")


def test_types_are_shipped() -> None:
    import accounting

    assert accounting.__file__ is not None
    folder = Path(accounting.__file__).parent
    assert (folder / "py.typed").exists()
    assert (folder / "_core.pyi").exists()
