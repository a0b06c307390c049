from __future__ import annotations

import shutil
from pathlib import Path

import torch
from made_answers import SMALL

from mien.datasets import READERS
from mien.reproduction import find_table
from mien.reproduction.material import Material
from mien.reproduction.table import Source


def _material(folder: Path, source: Source | None = None) -> Material:
    return Material(source or find_table("oulu-expression").data[0], READERS["index"](folder), SMALL.cut)


def test_photos_and_records_are_in_one_order(material: Material) -> None:
    assert [sample.name for sample in material.samples] == list(material.photos.names)
    assert material.people == [f"P{number:03d}" for number in range(1, 7)]
    for row, sample in enumerate(material.samples):
        shown = int(material.photos.expression[row])
        assert (shown == -1) == (sample.expression not in material.classes)
        assert shown == -1 or material.classes[shown] == sample.expression


def test_the_digest_knows_photos_and_labels_but_not_the_folder(material: Material, crops: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(crops, moved)
    assert _material(moved).digest == material.digest
    labels = (moved / "labels.csv").read_text()
    (moved / "labels.csv").write_text(labels.replace("Anger.png,P001,anger", "Anger.png,P001,fear"))
    assert _material(moved).digest != material.digest


def test_repeats_and_unreadable_photos_are_left_out_and_counted(crops: Path, tmp_path: Path) -> None:
    folder = tmp_path / "crops"
    shutil.copytree(crops, folder)
    shutil.copy(folder / "P001/Anger.png", folder / "P001/Fear.png")
    (folder / "P002/Anger.png").write_bytes(b"no photo")
    kept = _material(folder, Source("x", "X", "index", drop_repeats=True))
    assert len(kept.samples) == 6 * 7 - 3
    assert any(text.startswith("2 photos that occur twice") for text in kept.left_out)
    assert any("cannot be read" in text for text in kept.left_out)


def test_frozen_features_are_those_of_each_photo(material: Material) -> None:
    assert material.plain.shape[0] == len(material.samples)
    assert material.views.shape == (1, *material.plain.shape)  # this set is trained on as it is
    assert not torch.equal(material.plain[0], material.plain[1])
