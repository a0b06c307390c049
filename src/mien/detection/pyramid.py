"""One photo at many sizes, so that a crop of any size costs about the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.detection.boxes import Floats
from mien.photo import Photo, halvings


class Pyramid:
    """A photo read at the size that is wanted.

    A region is read from the smallest level that still has more pixels than are wanted, by averaging over areas.

    Args:
        photo: the photo.
        finest: depth of the finest level that may be read: what is wanted larger is enlarged from it.
    """

    def __init__(self, photo: Photo, finest: int = 0) -> None:
        self._photo = photo
        self._finest = finest

    @property
    def width(self) -> int:
        """Width of the photo in pixels."""
        return self._photo.width

    @property
    def height(self) -> int:
        """Height of the photo in pixels."""
        return self._photo.height

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """The whole photo as ``(height, width, 3)``."""
        depth = self._depth(min(self.width / width, self.height / height))
        level = self._photo.level(depth)
        box = (0.0, 0.0, self.width / 2**depth, self.height / 2**depth)
        whole = level.crop(0, 0, *level.size)
        return np.asarray(whole.resize((width, height), Image.Resampling.BOX, box=box))

    def crops(self, boxes: Floats, size: int) -> NDArray[np.uint8]:
        """Regions as ``(N, size, size, 3)``; what lies outside the photo is black, as in the training of MTCNN.

        Args:
            boxes: ``(N, 4)`` squares of at least one pixel, in pixels of the photo.
            size: side of each crop.
        """
        crops = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
        for crop, (left, top, right, bottom) in zip(crops, boxes.tolist(), strict=True):
            crop[:] = np.asarray(self.region((left, top, right, bottom), size, size))
        return crops

    def region(self, box: tuple[float, float, float, float], width: int, height: int) -> Image.Image:
        """A part of the photo, in its pixels, at the size ``(width, height)``; black outside of the photo."""
        depth = self._depth(min((box[2] - box[0]) / width, (box[3] - box[1]) / height))
        left, top, right, bottom = (edge / 2**depth for edge in box)
        x, y = math.floor(left), math.floor(top)
        around = self._photo.level(depth).crop(x, y, math.ceil(right), math.ceil(bottom))
        inner = (left - x, top - y, right - x, bottom - y)
        return around.resize((width, height), Image.Resampling.BOX, box=inner)

    def _depth(self, scale: float) -> int:
        return max(self._finest, halvings(scale))
