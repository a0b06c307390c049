from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gallery.py"


def test_a_small_run_gives_every_figure(tmp_path):
    out = tmp_path / "gallery.json"
    command = [sys.executable, SCRIPT, "--samples", "1000", "--queries", "10", "--cores", "1", "--json", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (section,) = json.loads(out.read_text())["sections"]
    names = [figure["name"] for figure in section["figures"]]
    assert names[:3] == ["loading", "search", "enrolment"]
    assert all(figure["value"] > 0 for figure in section["figures"])


def test_unusable_arguments():
    done = subprocess.run([sys.executable, SCRIPT, "--samples", "5"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "at least 1000 samples" in done.stderr
