from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest


def test_a_comparison_from_the_command_line(cli, tmp_path: Path) -> None:
    quick = ["--set", "epochs=1", "--set", "pairs=100", "--set", "evaluated=100", "--set", "learning_rates=[0.01]"]
    command = ["compare", "two-digits", "--methods", "dynamic,equal", "--seeds", "1", "--output", tmp_path, *quick]
    first = cli(*command)
    assert first.exit_code == 0, first.stderr
    assert (tmp_path / "index.html").exists()
    results = json.loads((tmp_path / "results.json").read_text())
    assert [method["method"] for method in results["methods"]][2:] == ["dynamic", "equal"]
    assert results["command"] == "mien compare two-digits --methods dynamic,equal --seeds 1 " + shlex.join(quick)
    assert results["settings"]["pairs"] == 100
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert cli(*command).exit_code == 0
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["two-digits", "--methods", "dynamik"], "names no method dynamik; there are: equal, dynamic"),
        (["two-digits", "--methods", "mine.py:Mine"], "There is no file mine.py"),
        (["two-digits", "--contrast", "dynamic:static"], "--contrast dynamic:static is not two of the methods"),
        (["two-digits", "--methods", ","], "names no method"),
        (["three-digits"], "there is no experiment three-digits"),
        (["faces"], "give --data FOLDER"),
        (["two-digits", "--set", "noise"], "is not of the form KEY=VALUE"),
        (["lost.py"], "lost.py cannot be run: No module named 'my_net'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "lost.py").write_text("import my_net\n")
    done = cli("compare", *arguments, "--output", tmp_path)
    assert done.exit_code == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
