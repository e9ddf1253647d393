"""The package as a stranger gets it: a source distribution, installed without the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(
    not os.environ.get("ACCOUNTING_TEST_LONG"),
    reason="SKIPPED: compiles everything again; ACCOUNTING_TEST_LONG is not set",
)


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_source_distribution_installs_without_the_checkout(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "build", cwd=tmp_path)
    run(python, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    [sdist] = tmp_path.glob("accounting-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "CMakeLists.txt", "pyproject.toml", "src/CMakeLists.txt"} <= names
    assert not [name for name in names if re.match(r"build/|\.git|.*__pycache__", name)]

    run(python, "-m", "pip", "install", sdist, cwd=tmp_path)
    readme = (ROOT / "bindings" / "python" / "README.md").read_text(encoding="utf-8")
    [(program, output)] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", readme, re.DOTALL)
    assert run(python, "-c", program, cwd=tmp_path) == output
    assert "accounting" in run(tmp_path / "venv" / "bin" / "accounting", "--help", cwd=tmp_path)
