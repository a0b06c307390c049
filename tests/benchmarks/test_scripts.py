from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def run(script, *arguments):
    return subprocess.run([sys.executable, FOLDER / script, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", ["latency.py", "accuracy.py", "authentication.py"])
def test_help_names_every_option(script):
    done = run(script, "--help")
    assert done.returncode == 0
    assert "--london DIR" in done.stdout
    assert "--json FILE" in done.stdout


def test_accuracy_asks_for_a_data_set():
    done = run("accuracy.py")
    assert done.returncode == 2
    assert "give at least one of --fer2013" in done.stderr


def test_a_wrong_folder_ends_in_one_sentence(tmp_path):
    done = run("accuracy.py", "--fer2013", tmp_path)
    assert done.returncode == 1
    assert "cannot be read as FER2013" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_package_ends_in_one_sentence():
    from _setting import require

    require("json")
    with pytest.raises(SystemExit, match=r"no_such_module cannot be imported; install the development extra"):
        require("json", "no_such_module")
