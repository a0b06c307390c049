from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets import read_fer2013, read_index, read_london
from mien.errors import DataError
from mien.types import Expression


def picture(path: Path, value: int = 0, size: int = 48) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (size, size), value).save(path)
    return path


def test_fer2013_folders(tmp_path: Path) -> None:
    picture(tmp_path / "train/angry/Training_1.jpg")
    picture(tmp_path / "test/happy/PublicTest_1.jpg")
    picture(tmp_path / "test/sad/PrivateTest_1.jpg")
    picture(tmp_path / "test/neutral/another.png")
    picture(tmp_path / "train/angry/._Training_1.jpg")  # AppleDouble
    picture(tmp_path / "train/bored/Training_2.jpg")
    data = read_fer2013(tmp_path)
    assert [(s.name, s.expression, s.split) for s in data.samples] == [
        ("test/happy/PublicTest_1.jpg", Expression.HAPPINESS, "public-test"),
        ("test/neutral/another.png", Expression.NEUTRAL, "test"),
        ("test/sad/PrivateTest_1.jpg", Expression.SADNESS, "private-test"),
        ("train/angry/Training_1.jpg", Expression.ANGER, "train"),
    ]
    assert [skipped.name for skipped in data.skipped] == ["train/bored/Training_2.jpg"]


def test_fer2013_table_in_its_original_form(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 48 * 48))
    with (tmp_path / "fer2013.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["emotion", "pixels", "Usage"])
        for code, values, usage in zip(
            [0, 3, 6, 9], pixels, ["Training", "PublicTest", "PrivateTest", "Training"], strict=True
        ):
            rows.writerow([code, " ".join(map(str, values)), usage])
        rows.writerow([1, "1 2 3", "Training"])
    for given in (tmp_path, tmp_path / "fer2013.csv"):
        data = read_fer2013(given)
        assert [(s.expression, s.split) for s in data.samples] == [
            (Expression.ANGER, "train"),
            (Expression.HAPPINESS, "public-test"),
            (Expression.NEUTRAL, "private-test"),
        ]
        assert isinstance(data.samples[1].source, np.ndarray)
        np.testing.assert_array_equal(data.samples[1].source[..., 0].ravel(), pixels[1])
        assert len(data.skipped) == 2  # an unknown code and a short row


@pytest.mark.parametrize("reader", [read_fer2013, read_index, read_london])
def test_another_folder_is_refused_with_what_was_expected(reader, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path.name)):
        reader(tmp_path)
    with pytest.raises(DataError):
        reader(tmp_path / "none")


def test_a_table_of_labels_with_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "\ufeffPath,identity,expression,split\n"
        "a/1.jpg,Ann,happy,train\n"
        "a/2.jpg,Ann,,\n"
        "b.jpg,,Surprise,test\n"
        "b.jpg,Ben,anger,test\n"
        "c.jpg,Cem,bored,test\n",
        encoding="utf-8",
    )
    data = read_index(tmp_path)
    assert [(s.name, s.identity, s.expression, s.split) for s in data.samples] == [
        ("a/1.jpg", "Ann", Expression.HAPPINESS, "train"),
        ("a/2.jpg", "Ann", None, None),
        ("b.jpg", None, Expression.SURPRISE, "test"),
    ]
    assert [skipped.reason.split()[1] for skipped in data.skipped] == ["path", "expression"]
    assert data.people == ["Ann"]


def test_a_folder_a_person(tmp_path: Path) -> None:
    picture(tmp_path / "Ann/1.jpg")
    picture(tmp_path / "Ann/more/2.PNG")
    picture(tmp_path / "Ben/1.jpg")
    picture(tmp_path / "stray.jpg")
    (tmp_path / "Ben/notes.txt").write_text("no photo")
    data = read_index(tmp_path)
    assert [(s.name, s.identity) for s in data.samples] == [
        ("Ann/1.jpg", "Ann"),
        ("Ann/more/2.PNG", "Ann"),
        ("Ben/1.jpg", "Ben"),
    ]


def test_a_table_without_its_column_says_so(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,identity\na.jpg,Ann\n")
    with pytest.raises(DataError, match="no column 'path'; its columns are: file, identity"):
        read_index(tmp_path)


def test_london(tmp_path: Path) -> None:
    picture(tmp_path / "neutral_front/002_03.jpg")
    picture(tmp_path / "smiling_front/002_08.jpg")
    assert [(s.identity, s.expression) for s in read_london(tmp_path).samples] == [
        ("002", Expression.NEUTRAL),
        ("002", Expression.HAPPINESS),
    ]
