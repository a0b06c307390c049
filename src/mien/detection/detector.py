"""What a detector is, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.photo import Photo
from mien.types import Box


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that was found.

    Attributes:
        box: in pixels of the given photo.
        score: the detector's confidence in [0, 1].
        landmarks: ``(5, 2)`` float32, (x, y) in pixels of the photo, where pixel i covers [i, i + 1): the eye at the
            left of the upright face, the eye at its right, nose tip, left and right corner of the mouth.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32]


class Detector(Protocol):
    """Whatever finds faces and their five landmarks; `MTCNN` is the one that is used where no other is given.

    `mien.Mien` may call one instance from several threads.
    """

    def detect(self, photo: Photo, *, certain: bool = False) -> Sequence[Detection]:
        """Find the faces of a photo.

        Args:
            photo: upright. `mien.photo.Photo.pixels` gives its pixels as an array, at any size.
            certain: whether this is another look at a photo in which nothing was found: reduced, and turned or with a
                repeated border. Then report only faces that are beyond doubt, as each look is one more occasion for an
                error.

        Returns:
            The faces, sorted by area of their boxes, largest first; none when there is none.

        Raises:
            ImageError: the photo cannot be decoded.
        """
        ...
