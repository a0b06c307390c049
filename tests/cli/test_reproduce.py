"""`mien reproduce` from end to end, on drawn faces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_trees import EXPRESSIONS, grow_crops, grow_lfw, grow_oulu_casia, grow_ytf


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people of an aligned Oulu-CASIA."""
    return grow_crops(tmp_path_factory.mktemp("crops"), 6)


def _runs(output: Path) -> dict[str, int]:
    """Each run's file and when it was written."""
    return {
        path.relative_to(output).as_posix(): path.stat().st_mtime_ns for path in sorted(output.glob("runs/*/*/*.json"))
    }


def _quick(crops: Path, output: Path, *more: str) -> list[str]:
    data = ["--data", f"oulu-casia={crops}", "--output", str(output)]
    return ["reproduce", "oulu-expression", *data, "--quick", "--epochs", "1", *more]


def test_a_fold_of_a_table_then_another_row(cli, crops: Path, tmp_path: Path) -> None:
    first = cli(*_quick(crops, tmp_path, "--fold", "1", "--row", "dynamic"))
    assert first.exit_code == 0, first.stderr
    assert "fold 1 of 3, dynamic, learning rate 1e-05, seed 0" in first.stderr
    made = _runs(tmp_path)
    assert len(made) == 1
    second = cli(*_quick(crops, tmp_path, "--fold", "1", "--row", "dynamic", "--row", "equal"))
    assert second.exit_code == 0
    assert "found: fold 1 of 3, dynamic" in second.stderr
    assert "fold 1 of 3, equal" in second.stderr
    assert len(_runs(tmp_path)) == 2
    assert _runs(tmp_path) | made == _runs(tmp_path)
    folder = tmp_path / "oulu-expression"
    assert {path.name for path in folder.iterdir()} == {"index.html", "results.json", "model-card.md"}
    found = json.loads((folder / "results.json").read_text())
    assert found["command"] == "mien reproduce oulu-expression --fold 1 --row dynamic --row equal --epochs 1 --quick"
    assert str(tmp_path) not in (folder / "index.html").read_text()
    assert [fold["number"] for fold in found["folds"]] == [1]
    assert list(found["protocols"][0]["rows"]) == ["static, equal", "dynamic"]
    assert "Dynamic MTL" in (tmp_path / "results.html").read_text()


def test_seeds(cli, crops: Path, tmp_path: Path) -> None:
    assert cli(*_quick(crops, tmp_path, "--fold", "0", "--row", "dynamic", "--seeds", "2")).exit_code == 0
    assert len(_runs(tmp_path)) == 2
    found = json.loads((tmp_path / "oulu-expression/results.json").read_text())
    figure = found["protocols"][0]["rows"]["dynamic"]["figures"]["accuracy"]
    assert (found["seeds"], figure["seeds"], figure["folds"]) == (2, 2, 1)
    assert figure["seed_sd"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["oulu-expresion"], "there is no table oulu-expresion; did you mean oulu-expression?"),
        (["oulu-expression"], "table oulu-expression needs --data oulu-casia=DIR"),
        (["authentication"], "needs --data oulu-casia=DIR or --data ck-plus=DIR or"),
        (["london", "--data", "london"], "--data london is not of the form NAME=DIR"),
        (["london", "--data", "london=/no/such"], "there is no such folder"),
        (["london", "--row", "dinamic"], "there is no row dinamic"),
        (["london", "--backbone", "vgg"], "cannot be made with backbone vgg"),
        (["london", "--rate", "0"], "not all above 0"),
    ],
)
def test_what_is_wrong_is_one_sentence(cli, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = cli("reproduce", *arguments, "--output", tmp_path)
    assert done.exit_code == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_folder_of_another_kind_is_refused_with_what_it_should_hold(cli, examples: Path, tmp_path: Path) -> None:
    done = cli("reproduce", "ck-expression", "--data", f"ck-plus={examples}", "--output", tmp_path)
    assert done.exit_code == 3
    assert "cannot be read as CK+" in done.stderr
    assert "cohn-kanade-images/S005/001/S005_001_00000011.png" in done.stderr


def test_official_pairs_without_training_data_test_the_pretrained_network(cli, tmp_path: Path) -> None:
    root = grow_lfw(tmp_path / "lfw", 20, genuine=2)
    done = cli("reproduce", "lfw-verification", "--data", f"lfw={root}", "--output", tmp_path / "out", "--quick")
    assert done.exit_code == 0, done.stderr
    assert "nothing to train on, so the pretrained network alone is tested" in done.stderr
    found = json.loads((tmp_path / "out/lfw-verification/results.json").read_text())
    (protocol,) = found["protocols"]
    assert list(protocol["rows"]) == ["pretrained"]
    assert protocol["pairs"] == {"genuine": 20, "impostor": 20}
    assert protocol["rows"]["pretrained"]["figures"]["accuracy"]["folds"] == 10


@pytest.mark.slow
def test_videos_tested_by_a_network_that_was_trained_elsewhere(cli, crops: Path, tmp_path: Path) -> None:
    root = grow_ytf(tmp_path / "ytf", 20)
    data = ["--data", f"ytf={root}", "--data", f"oulu-casia={crops}"]
    quick = ["--quick", "--row", "dynamic", "--row", "pretrained"]
    done = cli("reproduce", "ytf-verification", *data, "--output", tmp_path / "out", *quick)
    assert done.exit_code == 0, done.stderr
    found = json.loads((tmp_path / "out/ytf-verification/results.json").read_text())
    assert set(found["protocols"][0]["rows"]) == {"pretrained", "dynamic"}
    assert found["trained"]["people"] == 6
    assert found["data"]["photos"] == 20 * 2 * 4


@pytest.mark.slow
def test_a_job_of_ten_folds_that_was_killed_goes_on_where_it_stood(tmp_path: Path) -> None:
    """Killed outright, with no chance to tidy up: finished folds are not made again."""
    crops = grow_crops(tmp_path / "crops", 20, ("Happiness", "Surprise"))
    output = tmp_path / "out"
    rows = ["--row", "dynamic", "--row", "equal"]
    command = [sys.executable, "-c", "from mien.cli import main; main()", *_quick(crops, output, *rows)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while len(_runs(output)) < 9 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = _runs(output)
    assert 9 <= len(left) < 20
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _runs(output) | left == _runs(output)
    assert len(_runs(output)) == 20
    assert done.stderr.count("found: fold") == len(left)
    found = json.loads((output / "oulu-expression/results.json").read_text())
    assert len(found["folds"]) == 10
    assert found["protocols"][0]["rows"]["dynamic"]["figures"]["accuracy"]["n"] == 40
    assert list(output.rglob("*.partial")) == []


@pytest.mark.slow
def test_a_tree_as_its_makers_give_it_out(cli, tmp_path: Path) -> None:
    """Reading, aligning, training, testing and reporting, with the first frames as neutral."""
    root = grow_oulu_casia(tmp_path / "oulu", 6)
    done = cli(
        *["reproduce", "oulu-expression", "oulu-verification", "authentication"],
        *["--data", f"oulu-casia={root}", "--output", tmp_path / "out", "--quick"],
        *["--quirk", "best-on-test", "--quirk", "unordered-folds", "--quirk", "dropped-batch", "--quirk", "product"],
    )
    assert done.exit_code == 0, done.stderr
    for table in ("oulu-expression", "oulu-verification", "authentication"):
        found = json.loads((tmp_path / "out" / table / "results.json").read_text())
        assert found["data"]["photos"] == 6 * len(EXPRESSIONS) * 4
        assert found["data"]["classes"] == ["happiness", "sadness", "surprise", "fear", "disgust", "anger"]
        quirks = found["protocols"][0]["rows"]["dynamic"]["quirks"]
        assert "unordered-folds" in quirks
    assert found["protocols"][0]["pairs"]["right person, right expression"] == 6 * 6 * 2
    both = {"single task", "static, equal", "static, 1 : 0.1", "naive dynamic", "dynamic", "progress"}
    assert set(found["protocols"][0]["rows"]) == both
