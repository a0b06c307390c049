"""Crops from the pyramid against direct area averaging."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mien.detection.pyramid import Pyramid
from mien.photo import Photo


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / width, y * 255 / height, (x + y) * 127 / (height + width)], axis=2).astype(np.uint8)


@pytest.mark.parametrize(("width", "height"), [(200, 100), (77, 33), (30, 14), (400, 200)])
def test_resized_is_the_area_average(width: int, height: int) -> None:
    pixels = smooth(203, 401)
    expected = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
    result = Pyramid(Photo(pixels)).resized(width, height)
    assert result.shape == (height, width, 3)
    assert (
        np.abs(result.astype(int) - np.asarray(expected)).max() <= 6
    )  # Pillow weighs the pixels at an edge by all or nothing


@pytest.mark.parametrize("side", [10.0, 24.0, 31.7, 96.0, 187.3])
def test_crops_are_area_averages(side: float) -> None:
    pixels = smooth(300, 300)
    box = np.array([[20.4, 50.6, 20.4 + side, 50.6 + side]], np.float32)
    crop = Pyramid(Photo(pixels)).crops(box, 24)[0]
    expected = Image.fromarray(pixels).resize((24, 24), Image.Resampling.BOX, box=tuple(box[0].tolist()))
    assert np.abs(crop.astype(int) - np.asarray(expected)).max() <= 3


def test_outside_of_the_photo_is_black() -> None:
    pyramid = Pyramid(Photo(Image.new("RGB", (50, 40), "white")))
    crop = pyramid.crops(np.array([[-24, -24, 24, 24]], np.float32), 24)[0]
    assert (crop[:12] == 0).all()
    assert (crop[:, :12] == 0).all()
    assert (crop[12:, 12:] == 255).all()


def test_no_boxes_no_crops() -> None:
    assert Pyramid(Photo(Image.new("RGB", (50, 40)))).crops(np.empty((0, 4), np.float32), 48).shape == (0, 48, 48, 3)
