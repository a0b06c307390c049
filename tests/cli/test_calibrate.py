from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from mien import Gallery, Mien
from mien.cli.exits import ExitCode


@pytest.fixture
def folder(tmp_path, examples):
    """Two people, one with two photos."""
    for person, photos in {"obama": ["obama.jpg", "obama2.jpg"], "biden": ["biden.jpg"]}.items():
        (tmp_path / "people" / person).mkdir(parents=True)
        for photo in photos:
            shutil.copy(examples / photo, tmp_path / "people" / person / photo)
    return tmp_path / "people"


def test_a_folder_a_person(cli, folder, tmp_path):
    plot, gallery = tmp_path / "plot.svg", tmp_path / "people.db"
    result = cli("calibrate", folder, "--far", "0.5", "--json", "--plot", plot, "--gallery", gallery)
    assert result.exit_code == ExitCode.DONE
    record = json.loads(result.stdout)
    assert list(record) == [
        "model",
        "far_asked",
        "chosen_on",
        "gallery_size",
        "verification",
        "identification",
        "expressions",
        "warnings",
    ]
    verification = record["verification"]
    assert (verification["genuine"], verification["impostors"], verification["people"]) == (1, 2, 2)
    low, high = verification["threshold_interval"]
    assert low <= verification["threshold"] <= high
    assert verification["frr"] == 0
    assert record["gallery_size"] == 1
    assert "cannot be shown with 2 impostor pairs" in record["warnings"][0]
    assert f"warning: {record['warnings'][0]}\n" in result.stderr
    assert plot.read_text().startswith("<svg")
    with Gallery(gallery) as people:
        assert people.thresholds.verification == verification["threshold"]
        assert people.thresholds.identification == record["identification"]["threshold"]
        assert people.thresholds.far == 0.5


def test_a_table_of_pairs(cli, folder):
    table = folder / "pairs.csv"
    table.write_text("a,b,same\nobama/obama.jpg,obama/obama2.jpg,1\nobama/obama.jpg,biden/biden.jpg,no\n")
    result = cli("calibrate", table, "--far", "0.5")
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.startswith("model mien-s1")
    assert "verification (two photos): threshold 1." in result.stdout
    assert "identification" not in result.stdout
    assert "genuine pairs with " in result.stdout
    assert "of 1 impostor trials" in result.stdout


def test_photos_that_cannot_be_used(cli, folder):
    (folder / "labels.csv").write_text(
        "path,identity,expression\nobama/obama.jpg,O,happiness\nobama/obama2.jpg,O,neutral\nbiden/biden.jpg,B,\n"
        "gone.jpg,B,\n"
    )
    result = cli("calibrate", folder, "--far", "0.5", "--json")
    assert result.exit_code == ExitCode.PARTIAL
    assert result.stderr.count("gone.jpg") == 1
    (expressions,) = json.loads(result.stdout)["expressions"]
    assert (expressions["same_expression"], expressions["pairs"]) == (False, 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pairs.csv", "a,b\n", "has no column same"),
        ("pairs.csv", "a,b,same\n", "holds no pair"),
        ("pairs.csv", "a,b,same\nx,y,perhaps\n", "same must be 1 or 0"),
        ("pairs.csv", "", "has no column a"),
        ("labels.csv", "path,identity,expression\nobama/obama.jpg,O,bored\n", "the expression 'bored'"),
        ("labels.csv", "path\nobama/obama.jpg\n", "has no column identity"),
        ("labels.csv", "path,identity\n", "holds neither"),
    ],
)
def test_tables_that_are_wrong(cli, folder, name, text, message):
    (folder / name).write_text(text)
    result = cli("calibrate", folder / name if name == "pairs.csv" else folder)
    assert result.exit_code == ExitCode.ERROR
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_wrong_usage(cli, folder, tmp_path):
    assert cli("calibrate", tmp_path / "gone").exit_code == ExitCode.USAGE
    result = cli("calibrate", folder, "--far", "0")
    assert result.exit_code == ExitCode.USAGE
    assert "between 0 and 1" in result.stderr
    photo = next(folder.rglob("*.jpg"))
    before = photo.read_bytes()
    assert cli("calibrate", folder, "--plot", photo).exit_code == ExitCode.USAGE
    assert photo.read_bytes() == before


def test_a_plot_that_cannot_be_written_costs_nothing_else(cli, folder, tmp_path):
    gallery = tmp_path / "people.db"
    (tmp_path / "taken.svg").mkdir()
    result = cli("calibrate", folder, "--far", "0.5", "--plot", tmp_path / "taken.svg", "--gallery", gallery)
    assert result.exit_code == ExitCode.ERROR
    assert "cannot be written" in result.stderr
    assert result.stdout.startswith("model ")
    with Gallery(gallery, Mien().contract) as people:
        assert people.thresholds.chosen_on.startswith(folder.name)
    assert cli("calibrate", folder, "--far", "0.5", "--plot", tmp_path / "new" / "plot.svg").exit_code == 0


@pytest.mark.slow
def test_london_people(cli, tmp_path):
    """Neutral against smiling portraits: all genuine pairs have different expressions."""
    archive = Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")) / "london.tar"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there; set MIEN_TEST_DATA to the folder of the photo archives")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    root = tmp_path / "london"
    rows = ["path,identity,expression"]
    for folder, expression in (("neutral_front", "neutral"), ("smiling_front", "happiness")):
        photos = sorted((root / folder).glob("[0-9]*.jpg"))
        rows += [f"{photo.resolve()},{photo.name[:3]},{expression}" for photo in photos]
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    record = json.loads(cli("calibrate", tmp_path, "--far", "0.01", "--json").stdout)
    assert record["verification"]["frr"] < 0.05
    assert [kind["same_expression"] for kind in record["expressions"]] == [False]
