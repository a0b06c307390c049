"""The benchmarks of the service and of video give all their figures; how good these are is not tested here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def figures(script, out, *arguments):
    """Run a script; gives its figures by name."""
    command = [sys.executable, FOLDER / script, "--json", out, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (section,) = json.loads(out.read_text())["sections"]
    return {figure["name"]: figure["value"] for figure in section["figures"]}


def test_service(tmp_path):
    pytest.importorskip("fastapi", reason="needs the extra serve")
    found = figures("service.py", tmp_path / "out.json", "--clients", "4", "--requests", "8", "--repeats", "2")
    assert 0 < found["one after the other, a request"] < 5
    assert found["4 clients against one after the other"] > 0
    assert found["4 clients, wait of one for its answer"] > found["4 clients at once, a request's share of the time"]
    assert 1 <= found["photos looked at together"] <= 4


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs Linux's /proc")
def test_video_memory(tmp_path):
    pytest.importorskip("av", reason="needs the extra video")
    found = figures("video_memory.py", tmp_path / "out.json", "--minutes", "0.1")
    assert set(found) >= {"growth over ten minutes (slope)", "largest"}
    assert 50e6 < found["largest"] < 2e9


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["service.py", "--clients", "9", "--requests", "8"], "no fewer requests than clients"),
        (["service.py", "--cores", "0"], "--cores is 0"),
        (["video_memory.py", "--minutes", "0.01"], "40 frames"),
    ],
)
def test_unusable_arguments(arguments, sentence):
    script, *rest = arguments
    done = subprocess.run([sys.executable, FOLDER / script, *rest], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
