from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from mien import Mien
from mien.cli.align import plan
from mien.cli.exits import ExitCode
from mien.errors import DataError


@pytest.fixture
def dataset(tmp_path, examples):
    """Four photos: a face, a tight face, no face, no photo."""
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    (source / "b").mkdir()
    shutil.copy(examples / "obama.jpg", source / "a" / "one.jpg")
    box = Mien().crops(examples / "obama.jpg")[0].box
    with Image.open(examples / "obama.jpg") as image:
        image.crop((box.left + 20, box.top + 40, box.right - 20, box.bottom - 7)).save(source / "b" / "tight.png")
    Image.new("RGB", (60, 60), "red").save(source / "b" / "none.png")
    (source / "b" / "broken.jpg").write_bytes(b"no image")
    return source


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_folder(cli, dataset, tmp_path):
    target = tmp_path / "out"
    result = cli("align", dataset, target)
    assert result.exit_code == ExitCode.PARTIAL
    assert "4 photos: 1 detected, 1 padded, 1 whole, 1 failed" in result.stderr
    ways = {row["path"]: row["way"] for row in rows(target / "align-report.csv")}
    assert ways == {"a/one.jpg": "detected", "b/broken.jpg": "failed", "b/none.png": "whole", "b/tight.png": "padded"}
    written = sorted(path.relative_to(target).as_posix() for path in target.rglob("*.*"))
    assert written == ["a/one.png", "align-report.csv", "b/none.png", "b/tight.png"]
    with Image.open(target / "a" / "one.png") as crop:
        np.testing.assert_array_equal(np.asarray(crop), Mien().crops(dataset / "a" / "one.jpg")[0].pixels)


def test_labels_are_kept(cli, dataset, tmp_path):
    (dataset / "labels.csv").write_text(
        "path,identity,expression\na/one.jpg,Ada,happiness\nb/broken.jpg,Bo,neutral\nb/none.png,Bo,\n"
    )
    cli("align", dataset, tmp_path / "out")
    assert rows(tmp_path / "out" / "labels.csv") == [
        {"path": "a/one.png", "identity": "Ada", "expression": "happiness"},
        {"path": "b/none.png", "identity": "Bo", "expression": ""},
    ]
    assert not (tmp_path / "out" / "b" / "tight.png").exists()


def test_a_second_run_makes_only_what_is_missing(cli, dataset, tmp_path):
    target = tmp_path / "out"
    cli("align", dataset, target)
    report = (target / "align-report.csv").read_text()
    stamp = (target / "a" / "one.png").stat().st_mtime_ns
    (target / "b" / "none.png").unlink()
    (target / "align-report.csv").write_text(report + "b/half a row")
    result = cli("align", dataset, target)
    assert "2 of them were there already" in result.stderr
    assert (target / "a" / "one.png").stat().st_mtime_ns == stamp
    assert (target / "b" / "none.png").is_file()
    assert (target / "align-report.csv").read_text() == report


def test_crops_of_like_names_do_not_meet():
    crops = [item.crop for item in plan(["a.jpg", "a.png", "b/a.jpg", "a.jpg"])]
    assert crops == ["a.png", "a.png.png", "b/a.png"]


@pytest.mark.parametrize("path", ["../a.jpg", "/a.jpg", ""])
def test_paths_that_lead_out_are_refused(path):
    with pytest.raises(DataError, match="no path inside"):
        plan([path])


def test_unusable_sources(cli, tmp_path):
    assert cli("align", tmp_path / "gone", tmp_path / "out").exit_code == ExitCode.USAGE
    (tmp_path / "empty").mkdir()
    assert cli("align", tmp_path / "empty", tmp_path / "out").exit_code == ExitCode.ERROR
    (tmp_path / "empty" / "labels.csv").write_text("file,identity\na.jpg,Ada\n")
    result = cli("align", tmp_path / "empty", tmp_path / "out")
    assert result.exit_code == ExitCode.ERROR
    assert "has no column path" in result.stderr
