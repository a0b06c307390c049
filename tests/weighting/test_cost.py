"""The benchmark of the methods' cost runs; what it measures is not judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "weighting_cost.py"


@pytest.mark.slow
def test_it_measures_both_kinds_of_methods(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "--methods", "famo,upgrad", "--tasks", "2", "--repeats", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [*command, "--json", tmp_path / "cost.json"], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    sections = json.loads((tmp_path / "cost.json").read_text())["sections"]
    assert [figure["name"] for section in sections for figure in section["figures"]] == ["famo", "upgrad"]
    assert "against torchjd used directly" in run.stdout
