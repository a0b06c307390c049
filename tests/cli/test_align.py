from __future__ import annotations

import csv
import pickle
import shutil
from dataclasses import replace
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mien import Expression, Mien
from mien.cli.align import Photo, in_parallel, plan
from mien.cli.exits import ExitCode
from mien.datasets import READERS
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
    assert "4 photos: 1 photo, 1 border, 1 whole, 1 failed" in result.stderr
    ways = {row["path"]: row["way"] for row in rows(target / "align-report.csv")}
    assert ways == {"a/one.jpg": "photo", "b/broken.jpg": "failed", "b/none.png": "whole", "b/tight.png": "border"}
    written = sorted(path.relative_to(target).as_posix() for path in target.rglob("*.*"))
    assert written == ["a/one.png", "align-report.csv", "b/none.png", "b/tight.png"]
    with Image.open(target / "a" / "one.png") as crop:
        np.testing.assert_array_equal(np.asarray(crop), Mien().crops(dataset / "a" / "one.jpg")[0].pixels)


@pytest.mark.parametrize("target", [".", "b/.."])
def test_crops_do_not_go_to_the_photos_themselves(cli, dataset, target):
    (dataset / "labels.csv").write_text("path\nb/tight.png\n")
    before = {path: path.read_bytes() for path in dataset.rglob("*.*")}
    result = cli("align", dataset, dataset / target)
    assert result.exit_code == ExitCode.ERROR
    assert "is the folder of the photos themselves; give another folder" in result.stderr
    assert {path: path.read_bytes() for path in dataset.rglob("*.*")} == before


def test_no_crop_takes_the_place_of_a_photo(cli, dataset):
    (dataset / "labels.csv").write_text("path\nb/tight.png\ntight.png\n")
    shutil.copy(dataset / "b" / "tight.png", dataset / "tight.png")
    before = {path: path.read_bytes() for path in dataset.rglob("*.*")}
    result = cli("align", dataset, dataset / "b")
    assert result.exit_code == ExitCode.ERROR
    assert "tight.png would be overwritten by a crop; give another folder" in result.stderr
    assert {path: path.read_bytes() for path in dataset.rglob("*.*")} == before


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


def test_crops_of_another_form_are_made_again(cli, dataset, tmp_path, tiny_model, tiny_contract):
    target = tmp_path / "out"
    cli("align", dataset, target)
    result = cli("align", dataset, target, "--model", tiny_model())
    assert "0 of them were there already" in result.stderr
    with Image.open(target / "a" / "one.png") as crop:
        assert crop.size == (tiny_contract.crop_size,) * 2
    assert {row["form"].partition("-")[0] for row in rows(target / "align-report.csv")} == {"8"}
    retrained = tiny_model(replace(tiny_contract, model_id="tiny-2"))
    assert "3 of them were there already" in cli("align", dataset, target, "--model", retrained).stderr


@pytest.fixture
def ck_plus(tmp_path, examples):
    """Two sequences: one with its label and a damaged frame among the last three, one without a label."""
    root = tmp_path / "ck"
    for session, count in (("001", 6), ("002", 5)):
        folder = root / "cohn-kanade-images" / "S005" / session
        folder.mkdir(parents=True)
        for number in range(1, count + 1):
            shutil.copy(examples / "obama.jpg", folder / f"S005_{session}_{number:08d}.png")
    (root / "cohn-kanade-images/S005/001/S005_001_00000005.png").write_bytes(b"damaged")
    label = root / "Emotion/S005/001/S005_001_00000006_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("   5.0000000e+00")
    return root


def test_a_layout_becomes_an_index(cli, ck_plus, tmp_path):
    target = tmp_path / "out"
    result = cli("align", ck_plus, target, "--layout", "ck-plus", "--threads", 2)
    assert result.exit_code == ExitCode.PARTIAL
    assert "4 photos: 3 photo, 1 failed" in result.stderr
    assert "left out: 1 (S005/002), as its sequence has no expression label" in result.stderr
    failed = [row for row in rows(target / "align-report.csv") if row["way"] == "failed"]
    assert [row["path"].rpartition("_")[2] for row in failed] == ["00000005.png"]
    assert "S005_001_00000005.png is not an image" in failed[0]["message"]
    aligned = READERS["index"](target)
    assert [(s.identity, s.expression, s.sequence) for s in aligned.samples] == [
        ("S005", Expression.NEUTRAL, "S005/001"),
        ("S005", Expression.HAPPINESS, "S005/001"),
        ("S005", Expression.HAPPINESS, "S005/001"),
    ]
    assert all(sample.source.is_file() for sample in aligned.samples)


def test_photos_inside_archives_and_tables(cli, examples, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    photo = (examples / "obama.jpg").read_bytes()
    (source / "calfw.bin").write_bytes(pickle.dumps(([photo, b"damaged"], [True])))
    result = cli("align", source, tmp_path / "out", "--layout", "calfw")
    assert "2 photos: 1 photo, 1 failed" in result.stderr
    assert "calfw/00001 is not an image" in result.stderr
    assert (tmp_path / "out/calfw/00000.png").is_file()
    (source / "fer2013.csv").write_text(f"emotion,pixels,Usage\n3,{' '.join(['9'] * 48 * 48)},Training\n")
    assert cli("align", source, tmp_path / "fer", "--layout", "fer2013").exit_code == ExitCode.DONE
    assert rows(tmp_path / "fer/labels.csv") == [
        {"path": "fer2013.csv-000002.png", "identity": "", "expression": "happiness", "split": "train", "sequence": ""}
    ]


def test_layouts_that_cannot_be_aligned(cli, dataset, tmp_path):
    result = cli("align", dataset, tmp_path / "out", "--layout", "jaffe")
    assert result.exit_code == ExitCode.ERROR
    assert "KA.AN1.39.tiff" in result.stderr
    assert "choose one of" in cli("align", dataset, tmp_path / "out", "--layout", "jaffa").stderr
    result = cli("align", dataset, dataset / "out", "--layout", "folders")
    assert result.exit_code == ExitCode.ERROR
    assert "give a folder beside it" in result.stderr


def test_photos_are_worked_on_together_and_come_in_order():
    together = Barrier(3, timeout=5)

    def work(photo):
        together.wait()
        return {"path": photo.path}

    photos = [Photo(str(number), b"") for number in range(30)]
    assert [row["path"] for row in in_parallel(work, photos, threads=3)] == [photo.path for photo in photos]


def test_an_interruption_leaves_what_was_done(cli, dataset, tmp_path, monkeypatch):
    target, report = tmp_path / "out", tmp_path / "out" / "align-report.csv"
    largest_crop, calls = Mien.largest_crop, []

    def interrupted(mien, image):
        calls.append(image)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return largest_crop(mien, image)

    with monkeypatch.context() as patch:
        patch.setattr(Mien, "largest_crop", interrupted)
        assert cli("align", dataset, target, "--threads", 1).exit_code == ExitCode.INTERRUPTED
    assert [row["way"] for row in rows(report)][:1] == ["photo"]
    result = cli("align", dataset, target)
    assert "1 of them were there already" in result.stderr
    assert len(rows(report)) == 4
    assert not list(target.rglob("*.part"))


def test_crops_of_like_names_do_not_meet():
    assert list(plan(["a.jpg", "a.png", "b/a.jpg", "a.jpg"]).values()) == ["a.png", "a.png.png", "b/a.png"]


@given(st.lists(st.text("aB.:", min_size=1, max_size=4).map(lambda name: f"{name}x.jpg"), max_size=12))
def test_no_two_photos_have_one_crop(names):
    names = [name + suffix for name in names for suffix in ("", ".png", ".jpg")]
    crops = plan(names)
    assert set(crops) == set(names)
    assert len({crop.lower() for crop in crops.values()}) == len(crops)
    assert all(crop.endswith(".png") and ":" not in crop for crop in crops.values())


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
