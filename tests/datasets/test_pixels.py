from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mien.datasets import Sample, SampleSet, decode
from mien.errors import DataError
from mien.types import Expression

CLASSES = (Expression.NEUTRAL, Expression.HAPPINESS)


def array(value: int, size: int = 20, *, colour: bool = False) -> np.ndarray:
    photo = np.full((size, size, 3), value, np.uint8)
    photo[..., 0] += 9 * colour
    return photo


def test_labels_are_numbered_and_unknown_ones_are_unlabelled() -> None:
    samples = SampleSet(
        "test",
        (
            Sample("1", array(1), "Ben", Expression.HAPPINESS),
            Sample("2", array(2), None, Expression.CONTEMPT),
            Sample("3", array(3), "Ann", None),
        ),
    )
    photos = decode(samples, CLASSES, 20)
    assert photos.people == ["Ann", "Ben"]
    assert photos.identity.tolist() == [1, -1, 0]
    assert photos.expression.tolist() == [1, -1, -1]


def test_votes_become_shares_of_the_classes_asked_for() -> None:
    neutral, happy, fear = Expression.NEUTRAL, Expression.HAPPINESS, Expression.FEAR
    samples = SampleSet(
        "test",
        (
            Sample("1", array(1), expression=fear, shares={neutral: 0.1, happy: 0.3, fear: 0.6}),
            Sample("2", array(2), expression=fear, shares={fear: 1.0}),
            Sample("3", array(3), expression=happy),
            Sample("4", array(4), shares={neutral: 0.5, happy: 0.5}),
            Sample("5", array(5)),
        ),
    )
    photos = decode(samples, CLASSES, 20)
    expected = torch.tensor([[0.25, 0.75], [0, 0], [0, 1], [0.5, 0.5], [0, 0]])
    torch.testing.assert_close(photos.shares, expected)
    assert photos.expression.tolist() == [1, -1, 1, 0, -1]
    assert photos.unique_expression.tolist() == [1, -1, 1, -1, -1]
    assert torch.equal(photos.take([3, 0]).shares, photos.shares[[3, 0]])
    without = decode(samples, (), 20)
    assert without.shares.shape == (5, 0)
    assert without.expression.tolist() == without.unique_expression.tolist() == [-1] * 5


def test_grey_photos_are_kept_grey_and_small_ones_small() -> None:
    grey = decode(SampleSet("test", (Sample("1", array(7)),)), CLASSES, 150)
    assert grey.images.shape == (1, 1, 20, 20)
    mixed = decode(SampleSet("test", (Sample("1", array(7)), Sample("2", array(7, 400, colour=True)))), CLASSES, 150)
    assert mixed.images.shape == (2, 3, 150, 150)
    assert mixed.images[0].unique().tolist() == [7]


def test_damaged_photos_are_skipped_and_named(tmp_path: Path) -> None:
    good, cut = tmp_path / "good.png", tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)).save(good)
    cut.write_bytes(good.read_bytes()[:500])
    samples = SampleSet("test", tuple(Sample(p.name, p, "Ann") for p in (cut, good, tmp_path / "missing.png")))
    photos = decode(samples, CLASSES, 30)
    assert photos.names == ["good.png"]
    assert len(photos) == len(photos.identity) == len(photos.digests) == 1
    assert [skipped.name for skipped in photos.skipped] == ["cut.png", "missing.png"]
    with pytest.raises(DataError, match="none of the 1 photos"):
        decode(SampleSet("test", samples.samples[:1]), CLASSES, 30)


def test_digests_tell_pixels_not_files(tmp_path: Path) -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8))
    photo.save(tmp_path / "a.png")
    photo.save(tmp_path / "b.bmp")
    photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "c.png")
    names = ("a.png", "b.bmp", "c.png")
    a, b, c = decode(SampleSet("test", tuple(Sample(n, tmp_path / n) for n in names)), CLASSES, 30).digests
    assert a == b != c


def test_take_keeps_photos_and_labels_together() -> None:
    samples = SampleSet("test", tuple(Sample(str(i), array(i), f"person {i}") for i in range(4)))
    taken = decode(samples, CLASSES, 20).take([3, 1])
    assert taken.names == ["3", "1"]
    assert taken.identity.tolist() == [3, 1]
    assert torch.equal(taken.images[:, 0, 0, 0], torch.tensor([3, 1], dtype=torch.uint8))
