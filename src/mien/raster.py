"""The pixels of a picture, as a Pillow image or an array, without a copy of the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ROWS = 256


class Raster:
    """An RGB picture of which parts are read.

    Pillow keeps four bytes per pixel and NumPy three, so that turning the one into the other copies it.

    Args:
        pixels: a Pillow image of mode RGB, or ``uint8 (H, W, 3)``.

    >>> Raster(np.full((30, 41, 3), 7, np.uint8)).halved().size
    (21, 15)
    """

    def __init__(self, pixels: Image.Image | NDArray[np.uint8]) -> None:
        self._pixels = pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        if isinstance(self._pixels, Image.Image):
            return self._pixels.size
        height, width = self._pixels.shape[:2]
        return width, height

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image.Image:
        """Copy a part out; what lies outside of the picture is black."""
        if isinstance(self._pixels, Image.Image):
            return self._pixels.crop((left, top, right, bottom))
        inner_left, inner_top = max(left, 0), max(top, 0)
        inside = np.ascontiguousarray(self._pixels[inner_top : max(bottom, 0), inner_left : max(right, 0)])
        height, width = inside.shape[:2]
        if (width, height) == (right - left, bottom - top):
            return Image.fromarray(inside)
        canvas = Image.new("RGB", (right - left, bottom - top))
        if inside.size:
            canvas.paste(Image.fromarray(inside), (inner_left - left, inner_top - top))
        return canvas

    def halved(self) -> Raster:
        """The picture at half its size: means of 2 x 2 pixels, of fewer at an odd edge."""
        if isinstance(self._pixels, Image.Image):
            return Raster(self._pixels.reduce(2))
        width, height = self.size
        half = Image.new("RGB", ((width + 1) // 2, (height + 1) // 2))
        for top in range(0, height, _ROWS):
            half.paste(self.crop(0, top, width, min(top + _ROWS, height)).reduce(2), (0, top // 2))
        return Raster(half)

    def array(self) -> NDArray[np.uint8]:
        """All pixels as ``uint8 (H, W, 3)``; an array that was given is returned itself."""
        return np.asarray(self._pixels)
