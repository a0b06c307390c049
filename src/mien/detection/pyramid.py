"""One photo at many sizes, so that a crop of any size costs about the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.detection.boxes import Floats


class Pyramid:
    """A photo and its halvings, each made when it is first needed.

    A region is read from the smallest level that still has more pixels than are wanted, by averaging over areas.
    """

    def __init__(self, image: Image.Image) -> None:
        self._levels = [image]

    @property
    def width(self) -> int:
        """Width of the photo in pixels."""
        return self._levels[0].width

    @property
    def height(self) -> int:
        """Height of the photo in pixels."""
        return self._levels[0].height

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """The whole photo as ``(height, width, 3)``."""
        depth = self._depth(min(self.width / width, self.height / height))
        level = self._level(depth)
        box = (0.0, 0.0, self.width / 2**depth, self.height / 2**depth)
        return np.asarray(level.resize((width, height), Image.Resampling.BOX, box=box))

    def crops(self, boxes: Floats, size: int) -> NDArray[np.uint8]:
        """Regions as ``(N, size, size, 3)``; what lies outside the photo is black, as in the training of MTCNN.

        Args:
            boxes: ``(N, 4)`` squares of at least one pixel, in pixels of the photo.
            size: side of each crop.
        """
        crops = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
        for crop, (left, top, right, bottom) in zip(crops, boxes.tolist(), strict=True):
            depth = self._depth((right - left) / size)
            left, top, right, bottom = (edge / 2**depth for edge in (left, top, right, bottom))
            x, y = math.floor(left), math.floor(top)
            around = self._level(depth).crop((x, y, math.ceil(right), math.ceil(bottom)))
            inner = (left - x, top - y, right - x, bottom - y)
            crop[:] = np.asarray(around.resize((size, size), Image.Resampling.BOX, box=inner))
        return crops

    def _depth(self, scale: float) -> int:
        """How many halvings leave at least one pixel for each wanted one."""
        return max(0, math.floor(math.log2(scale)))

    def _level(self, depth: int) -> Image.Image:
        while len(self._levels) <= depth:
            self._levels.append(self._levels[-1].reduce(2))
        return self._levels[depth]
