"""MTCNN: three small networks that propose, refine and finish face boxes.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016. The constants are the paper's where no other source is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from mien.detection.boxes import Floats, areas, shift, squares, suppress, usable
from mien.detection.detector import Detection
from mien.detection.networks import Network
from mien.detection.proposals import CELL, Proposals
from mien.detection.pyramid import Pyramid
from mien.photo import FULL_SIDE, Photo, halvings
from mien.types import Box

MIN_FACE = 40
"""Default smallest face in pixels: below it a face must be enlarged about fourfold for a network's crop."""

MOST_PIXELS = 12e6
"""In photos with more pixels the default smallest face grows with the root of their number, and the time stays."""

THRESHOLDS = (0.6, 0.7, 0.9)
"""Least scores of the three stages. The authors' published code ends with 0.7, which takes a blurred chair for a face
(at 0.82) in one of the three example photos; 0.9 costs 5 of 1,500 faces of LFW, and none of 108 studio portraits."""

REFINING, FINISHING = 24, 48
"""Sides in pixels of the crops that the second and the third network see."""

COARSE_FACE = 20
"""Large photos are searched at the smallest decoding scale that leaves the smallest faces so many pixels."""

CERTAIN = 0.97
"""Least score of the third network in another look."""

HINT = 0.5
"""Score of a face in a coarse crop from which it is looked at again in the photo's full pixels."""


DOUBTFUL = 0.99
"""A face below this score is looked at upside down too. If that halves the doubt, it stands on its head: so it is with
all of 11 in 600 people of LFW that are found on their head, and with none of those that are found upright."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look, and how sure to be.

    Attributes:
        least: least score of the third network.
        proposals: most windows of one scale, and most boxes of all scales, that are considered; the best by score.
            Bounds time and memory on noise.
        refined: most boxes that reach the last network.
    """

    least: float
    proposals: int
    refined: int


class MTCNN:
    """Finds faces in photos; one instance may be shared by threads. It is a `Detector`.

    Args:
        min_face: smallest longer side of a face's box, in pixels of the photo, at any size of photo; None takes
            `MIN_FACE`, which grows in photos with more than `MOST_PIXELS` pixels: 80 for 48 megapixels. Time grows with
            its inverse square.
        threads: threads of ONNX Runtime for each network; None leaves it to ONNX Runtime (all cores).
        providers: ONNX Runtime's execution providers, the preferred one first; None means the CPU.
        thresholds: least scores of the three stages, each in [0, 1]; lower ones find more faces and more errors.

    Raises:
        ValueError: an argument is out of its range.
        ModelError: a network's file is missing or cannot be loaded.
    """

    def __init__(
        self,
        *,
        min_face: float | None = None,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        thresholds: tuple[float, float, float] = THRESHOLDS,
    ) -> None:
        if min_face is not None and not min_face >= CELL:
            raise ValueError(f"min_face is {min_face}; give at least {CELL} pixels, or None for the default")
        if len(thresholds) != 3 or not all(0 <= threshold <= 1 for threshold in thresholds):
            raise ValueError(f"thresholds are {thresholds}; give three numbers from 0 to 1")
        self.min_face = min_face
        self.thresholds = thresholds
        self._propose = Proposals(threads, providers)
        self._refine = Network("mtcnn-rnet.onnx", threads, providers)
        self._finish = Network("mtcnn-onet.onnx", threads, providers)

    def detect(self, photo: Photo, *, certain: bool = False) -> list[Detection]:
        """Find the faces of a photo; see `Detector.detect`."""
        min_face = self._min_face(photo, certain)
        effort = Effort(CERTAIN, 300, 50) if certain else Effort(self.thresholds[2], 1000, 300)
        finest = 0 if max(photo.width, photo.height) <= FULL_SIDE else halvings(min_face / COARSE_FACE)
        pyramid = Pyramid(photo, finest)
        boxes = self._propose(pyramid, min_face, self.thresholds[0], effort.proposals)
        boxes = self._refined(pyramid, usable(boxes, photo.width, photo.height), effort.refined)
        boxes, scores, landmarks = self._finished(photo, boxes, finest, effort.least)
        large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= min_face
        return [
            Detection(Box(*boxes[i].tolist()), float(scores[i]), landmarks[i])
            for i in np.argsort(-areas(boxes), kind="stable")
            if large[i]
        ]

    def _min_face(self, photo: Photo, certain: bool) -> float:
        """In pixels of the photo; of one that was reduced for another look the default, unless less was asked for."""
        if self.min_face is not None:
            return min(self.min_face, MIN_FACE) if certain else self.min_face
        return MIN_FACE * max(1.0, sqrt(photo.width * photo.height / MOST_PIXELS))

    def _refined(self, pyramid: Pyramid, boxes: Floats, most: int) -> Floats:
        """The boxes that the second network confirms, moved and made square."""
        scores, offsets = self._refine(pyramid.crops(boxes, REFINING))
        passed = scores[:, 0] > self.thresholds[1]
        boxes, offsets, scores = boxes[passed], offsets[passed], scores[passed, 0]
        kept = suppress(boxes, scores, 0.7)[:most]
        return usable(squares(shift(boxes[kept], offsets[kept])), pyramid.width, pyramid.height)

    def _finished(self, photo: Photo, boxes: Floats, finest: int, least: float) -> tuple[Floats, Floats, Floats]:
        """Final boxes ``(N, 4)``, scores ``(N,)`` and landmarks ``(N, 5, 2)``."""
        seen = self._finish(Pyramid(photo, finest).crops(boxes, FINISHING))
        side = boxes[:, 2] - boxes[:, 0]
        enlarged = (side < FINISHING * 2**finest) & (seen[0][:, 0] > HINT)
        if finest and enlarged.any():
            photo.finest(halvings(side[enlarged].min() / FINISHING))  # decoded once, for all of them
            again = self._finish(Pyramid(photo).crops(boxes[enlarged], FINISHING))
            for first, second in zip(seen, again, strict=True):
                first[enlarged] = second
        scores, offsets, points = seen
        passed = scores[:, 0] > least
        boxes, offsets, points, scores = boxes[passed], offsets[passed], points[passed], scores[passed, 0]
        landmarks = boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])
        boxes = shift(boxes, offsets)
        # Over the smaller area: a face must not be reported again for its inner part.
        kept = suppress(boxes, scores, 0.7, over="smaller")
        kept = kept[~self._upside_down(Pyramid(photo, finest), boxes[kept], scores[kept])]
        return boxes[kept], scores[kept], landmarks[kept]

    def _upside_down(self, pyramid: Pyramid, boxes: Floats, scores: Floats) -> NDArray[np.bool_]:
        """Which faces stand on their head: the mouth was taken for the eyes."""
        found = np.zeros(len(scores), np.bool_)
        doubtful = scores < DOUBTFUL
        if doubtful.any():
            turned = pyramid.crops(squares(boxes[doubtful]), FINISHING)[:, ::-1, ::-1]
            doubt = 1 - self._finish(np.ascontiguousarray(turned))[0][:, 0]
            found[doubtful] = doubt < (1 - scores[doubtful]) / 2
        return found
