"""Where nothing is found in a photo, look again: with a repeated border, then turned.

Each further look is at a reduced photo, so that all four together cost no more than a search of a photo of 1,280 pixels
does four times, however large the photo is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.detection.detector import Detection, Detector
from mien.images import pad_border
from mien.photo import Photo
from mien.types import Box, FoundBy

EVERY_WAY = (FoundBy.PHOTO, FoundBy.BORDER, FoundBy.TURNED_90, FoundBy.TURNED_180, FoundBy.TURNED_270)
"""All ways to look for faces, in their order."""

AS_IT_IS = (FoundBy.PHOTO,)
"""Only the photo as it is: for frames of a camera, of which the next one comes soon."""

BORDER = 0.25
"""Width of the repeated border, as a fraction of the longer side. On tight press photos in which no face was found
without one, 0.25 finds nearly all."""

BORDERED_SIDE = 256
"""A photo whose border is repeated is reduced to this longer side: its face fills it."""

TURNED_SIDE = 1280
"""A photo that is turned is reduced to this longer side: faces of at least 1/32 of it have 40 pixels."""

_QUARTERS = {FoundBy.TURNED_90: 1, FoundBy.TURNED_180: 2, FoundBy.TURNED_270: 3}
_BACK = {
    1: np.array([[0.0, 1.0], [-1.0, 0.0]]),  # x = y', y = height - x'
    2: np.array([[-1.0, 0.0], [0.0, -1.0]]),
    3: np.array([[0.0, -1.0], [1.0, 0.0]]),
}
"""From a picture that was turned clockwise by so many quarters back to the upright one, but for the origin."""


def find_faces(
    detector: Detector, photo: Photo, ways: Sequence[FoundBy] = EVERY_WAY, min_face: float | None = None
) -> tuple[list[Detection], FoundBy]:
    """Look for faces in one way after the other, until there are some.

    Args:
        detector: what finds them.
        photo: the photo.
        ways: the ways to try, in order; not `FoundBy.WHOLE`, which finds nothing.
        min_face: leave out faces whose box's longer side has fewer pixels of the photo.

    Returns:
        The faces, largest first, in pixels of the photo, and the way that found them, the last one when none did.

    Raises:
        ImageError: the photo cannot be decoded.
        ValueError: there is no way to look.
    """
    if not ways:
        raise ValueError("there is no way to look for faces; give at least one")
    for way in ways:
        found = [
            detection
            for detection in _look(detector, photo, way)
            if min_face is None or max(detection.box.width, detection.box.height) >= min_face
        ]
        if found:
            return found, way
    return [], ways[-1]


def _look(detector: Detector, photo: Photo, way: FoundBy) -> Sequence[Detection]:
    if way is FoundBy.PHOTO:
        return detector.detect(photo)
    pixels = photo.pixels(BORDERED_SIDE if way is FoundBy.BORDER else TURNED_SIDE)
    height, width = pixels.shape[:2]
    unit = np.array([photo.width / width, photo.height / height])
    if way is FoundBy.BORDER:
        changed, margin = pad_border(pixels, BORDER)
        turn, origin = np.eye(2), np.array([-margin, -margin])
    else:
        quarters = _QUARTERS[way]
        changed = np.rot90(pixels, -quarters)
        turn, origin = _BACK[quarters], np.array([width * (quarters > 1), height * (quarters < 3)])
    found = detector.detect(Photo(changed), certain=True)
    return [_moved(detection, turn.T * unit, origin * unit) for detection in found]


def _moved(detection: Detection, matrix: NDArray[np.float64], shift: NDArray[np.float64]) -> Detection:
    """The detection in the coordinates of another picture: ``points @ matrix + shift``; boxes stay upright."""
    box = detection.box
    corners = np.array([[box.left, box.top], [box.right, box.bottom]]) @ matrix + shift
    landmarks = (detection.landmarks @ matrix + shift).astype(np.float32)
    return replace(
        detection, box=Box(*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()), landmarks=landmarks
    )
