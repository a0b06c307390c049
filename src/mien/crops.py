"""From a photo to the aligned crops of its faces: what the network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.alignment import align, resize_crop
from mien.contract import Contract
from mien.detection import EVERY_WAY, Detection, Detector, find_faces
from mien.images import Pixels
from mien.photo import Photo
from mien.types import Box, FoundBy


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """What the network sees of one face.

    Attributes:
        pixels: ``uint8 (S, S, 3)`` RGB, S the model's crop size.
        box: where the face is; the whole image when it was not detected.
        score: the detector's confidence in [0, 1]; 1.0 when it was not asked.
        landmarks: ``(5, 2)`` float32, as `mien.types.Face.landmarks`; None when it was not asked.
        found_by: how the face was found.
    """

    pixels: Pixels
    box: Box
    score: float
    landmarks: NDArray[np.float32] | None
    found_by: FoundBy


def cut_faces(
    photo: Photo,
    detector: Detector | None,
    contract: Contract,
    *,
    ways: Sequence[FoundBy] = EVERY_WAY,
    min_face: float | None = None,
) -> list[Crop]:
    """Find the faces of a photo and cut them out.

    Args:
        photo: the photo.
        detector: finds the faces; may be None where no way asks for it.
        contract: of the model that will see the crops.
        ways: the ways to look for faces, tried in order until one finds some. `FoundBy.WHOLE`, at the end, takes the
            whole image as a crop.
        min_face: leave out smaller faces, by the longer side of the box, in pixels of the photo.

    Returns:
        The crops, sorted by area of the face's box, largest first; none when no face was found.

    Raises:
        ImageError: the photo cannot be decoded.
    """
    looks = [way for way in ways if way is not FoundBy.WHOLE]
    if looks and detector is not None:
        found, way = find_faces(detector, photo, looks, min_face)
        if found:
            return [_aligned(photo, detection, contract, way) for detection in found]
    if FoundBy.WHOLE not in ways:
        return []
    whole = Box(0.0, 0.0, float(photo.width), float(photo.height))
    return [Crop(resize_crop(photo, contract.crop_size), whole, 1.0, None, FoundBy.WHOLE)]


def _aligned(photo: Photo, found: Detection, contract: Contract, way: FoundBy) -> Crop:
    pixels = align(photo, found.landmarks, contract.template, contract.crop_size, contract.landmark_weights)
    return Crop(pixels, found.box, found.score, found.landmarks, way)
