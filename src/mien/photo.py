"""A photo that is decoded only as far as somebody looks at it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from mien.images import (
    ImageSource,
    Pixels,
    check_size,
    open_image,
    orientation,
    rgb_array,
    samples,
    settle,
    source_name,
)
from mien.raster import Raster

FULL_SIDE = 1280
"""Photos up to this longer side, in pixels, are always decoded in full: little could be saved, and their crops are cut
from all there is. Chosen by us."""

DEEPEST = 3
"""Halvings that a JPEG decoder can leave out of its work: it then computes one pixel for each block of 8 x 8."""

_LYING = {
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
}


class Photo:
    """An upright photo and its halvings, each decoded or computed when it is first needed.

    A large JPEG file is decoded at a half, a quarter or an eighth of its size where that will do, which saves most of
    the time and memory. All other sources have their full pixels from the start; an array is never copied as a whole.
    Belongs to one thread.

    Args:
        source: as of `mien.images.load_image`.
        name: what to call the photo in an error; by default `mien.images.source_name`.
        max_pixels: refuse a photo with more pixels before it is decoded; None takes `mien.images.MAX_PIXELS`.

    Attributes:
        name: as given.
        width: in pixels of the upright photo.
        height: likewise.

    Raises:
        ImageError: the source cannot be read, is no picture or too large.

    >>> photo = Photo(np.zeros((40, 60, 3), np.uint8))
    >>> photo.width, photo.height, photo.level(1).size
    (60, 40, (30, 20))
    """

    def __init__(self, source: ImageSource, *, name: str | None = None, max_pixels: int | None = None) -> None:
        self.name = source_name(source) if name is None else name
        self._source = settled = settle(source, self.name)
        self._levels: dict[int, Raster] = {}
        if isinstance(settled, np.ndarray):
            self._levels[0] = Raster(rgb_array(settled, self.name))
            self.width, self.height = self._levels[0].size
            return
        with open_image(settled, self.name) as image:
            if max_pixels is not None:
                check_size(image.size, self.name, max_pixels)
            if _can_be_reduced(image) and image is not settled:
                lying = orientation(image) in _LYING
                self.width, self.height = image.size[::-1] if lying else image.size
            else:
                self._levels[0] = _upright(image, self.name)
                self.width, self.height = self._levels[0].size

    def level(self, depth: int) -> Raster:
        """The photo at ``1 / 2**depth`` of its size: pixel i is a mean over the photo's pixels from ``i * 2**depth``.

        Raises:
            ImageError: the file is damaged, or is not there any longer.
        """
        finest, raster = self.finest(depth)
        for deeper in range(finest + 1, depth + 1):
            if deeper not in self._levels:
                self._levels[deeper] = self._levels[deeper - 1].halved()
            raster = self._levels[deeper]
        return raster

    def finest(self, depth: int) -> tuple[int, Raster]:
        """The depth and pixels of the finest level that is decoded and not deeper than ``depth``.

        When there is none, one is decoded now; errors as of `level`.
        """
        known = [at for at in self._levels if at <= depth]
        if known:
            return min(known), self._levels[min(known)]
        assert not isinstance(self._source, np.ndarray)  # noqa: S101 -- an array has its full pixels from the start
        with open_image(self._source, self.name) as image:
            at = _reduce(image, min(depth, DEEPEST))
            self._levels[at] = _upright(image, self.name)
        return at, self._levels[at]

    def pixels(self, longest: int | None = None) -> Pixels:
        """The whole photo as ``uint8 (H, W, 3)`` RGB, scaled down if its longer side has more than ``longest`` pixels.

        Errors as of `level`.
        """
        longer = max(self.width, self.height)
        if longest is None or longer <= longest:
            return self.level(0).array()
        depth = math.floor(math.log2(longer / longest))
        size = [max(1, round(side * longest / longer)) for side in (self.width, self.height)]
        box = (0, 0, self.width / 2**depth, self.height / 2**depth)
        whole = self.level(depth)
        image = whole.crop(0, 0, *whole.size)
        return np.asarray(image.resize((size[0], size[1]), Image.Resampling.BILINEAR, box=box, reducing_gap=1.0))


def halvings(scale: float) -> int:
    """How many halvings leave at least one pixel for each wanted one, where a wanted one covers ``scale`` of them.

    >>> [halvings(scale) for scale in (0.5, 1.9, 2.0, 9.0)]
    [0, 0, 1, 3]
    """
    return max(0, math.floor(math.log2(scale)))


def _can_be_reduced(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO") and max(image.size) > FULL_SIDE


def _reduce(image: Image.Image, depth: int) -> int:
    """Tell the decoder to leave out so many halvings, or fewer; returns how many.

    A picture that has to be turned must divide evenly: a partial last block would become the first one.
    """
    width, height = image.size
    if orientation(image) is not None:
        while width % 2**depth or height % 2**depth:
            depth -= 1
    if depth and _can_be_reduced(image):
        image.draft(image.mode, (max(1, width >> depth), max(1, height >> depth)))
    return round(math.log2(width / image.width))


def _upright(image: Image.Image, name: str) -> Raster:
    turn = orientation(image)
    image.load()
    if image.mode == "RGB" and "transparency" not in image.info:
        return Raster(image if turn is None else image.transpose(turn))
    values = samples(image if turn is None else image.transpose(turn))
    return Raster(rgb_array(values, name))
