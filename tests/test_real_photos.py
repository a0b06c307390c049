"""The whole path on real photos, where their archives are at hand (see CONTRIBUTING.md)."""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from mien import Expression, Face, Mien
from mien.datasets import Sample, decode, read_fer2013, read_index, read_london
from mien.datasets.samples import SampleSet


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory):
    def unpack(name: str) -> Path:
        archive = Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")) / f"{name}.tar"
        if not archive.is_file():
            pytest.skip(f"{archive} is not there; set MIEN_TEST_DATA to the folder of the photo archives")
        folder = tmp_path_factory.mktemp(name)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        return folder / name

    return unpack


@pytest.fixture(scope="module")
def london(unpacked) -> list[tuple[Sample, Face]]:
    samples = read_london(unpacked("london")).samples
    answers = Mien().analyze_batch(sample.source for sample in samples)
    assert all(isinstance(faces, list) and len(faces) == 1 for faces in answers)
    return [(sample, faces[0]) for sample, faces in zip(samples, answers, strict=True)]


def test_london_people_are_told_apart_whatever_their_expression(london: list[tuple[Sample, Face]]) -> None:
    threshold = Mien().contract.threshold.distance
    right = Counter[bool]()
    for (first, face_a), (second, face_b) in combinations(london, 2):
        same = bool(np.linalg.norm(face_a.embedding - face_b.embedding) <= threshold)
        right[same == (first.identity == second.identity)] += 1
    assert right[False] / right.total() < 0.02


def test_london_smiles_are_seen(london: list[tuple[Sample, Face]]) -> None:
    two = (Expression.NEUTRAL, Expression.HAPPINESS)
    hits = [max(two, key=lambda name: face.expression[name]) == sample.expression for sample, face in london]
    assert np.mean(hits) >= 0.8


@pytest.mark.slow
def test_fer2013_is_read_whole_with_its_repeats(unpacked) -> None:
    data = read_fer2013(unpacked("fer2013"))
    train, test = data.split("train"), data.split("public-test")
    assert (len(train), len(test), len(data.skipped)) == (28_709, 3_589, 0)
    digests = [decode(part, (), 48).digests for part in (train, test)]
    trained_on = set(digests[0])
    assert sum(digest in trained_on for digest in digests[1]) == 250
    assert len(digests[0]) - len(trained_on) == 1_222


@pytest.mark.slow
def test_lfw_expressions_is_read_whole(unpacked) -> None:
    data: SampleSet = read_index(unpacked("lfw-expressions"))
    assert (len(data), len(data.people), len(data.skipped)) == (10_023, 4_472, 0)
    counts = Counter(sample.expression for sample in data.samples)
    assert (counts[Expression.NEUTRAL], counts[Expression.CONTEMPT]) == (5_315, 9)
