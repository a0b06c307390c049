"""MTCNN: three small networks that propose, refine and finish face boxes.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016. The constants are the paper's where no other source is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.detection.boxes import Floats, areas, shift, squares, suppress
from mien.detection.networks import Network
from mien.detection.pyramid import Pyramid
from mien.errors import ImageError
from mien.types import Box

DETECTION_SIZE = 1280
"""Photos are scaled down to this longer side for detection: a large photo costs no more than a medium one, and a face
that takes 3 % of it still has 40 pixels. Chosen by us."""

MIN_FACE = 40
"""Default smallest face in pixels: below it a face must be enlarged about fourfold for a network's crop."""

FACES_ACROSS = 40
"""In photos longer than ``MIN_FACE * FACES_ACROSS`` pixels the default smallest face is the longer side over this."""

THRESHOLDS = (0.6, 0.7, 0.9)
"""Least scores of the three stages. The authors' published code ends with 0.7, which takes a blurred chair for a face
(at 0.82) in one of the three example photos; 0.9 costs 5 of 1,500 faces of LFW, and none of 108 studio portraits."""

CELL = 12
"""Side in pixels of the window that the proposal network judges."""

STRIDE = 2
"""Step in pixels of that window."""

FACTOR = 0.709
"""Ratio of successive scales: halves the area, as in the authors' published code."""

MAX_PROPOSALS = 1000
"""Most windows of one scale, and most boxes of all scales, that are considered; the best ones by score. Bounds time and
memory on noise; a crowd of a hundred faces stays below it."""

MAX_REFINED = 300
"""Most boxes that reach the last network."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that was found.

    Attributes:
        box: in pixels of the given photo.
        score: the last network's confidence in [0, 1].
        landmarks: ``(5, 2)`` float32, (x, y) in pixels of the photo, where pixel i covers [i, i + 1): the eye at the
            left of the picture, the eye at its right, nose tip, left and right corner of the mouth.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32]


class Detector:
    """Finds faces in photos; one instance may be shared by threads.

    Args:
        min_face: smallest longer side of a face's box, in pixels of the given photo; None takes the larger of
            `MIN_FACE` and the photo's longer side over `FACES_ACROSS`. Time grows with its inverse square. Faces with
            fewer than 12 pixels after scaling to `DETECTION_SIZE` are never found.
        threads: threads of ONNX Runtime for each network; None leaves it to ONNX Runtime (all cores).
        providers: ONNX Runtime's execution providers by falling preference; None means the CPU.
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
        self._propose = Network("mtcnn-pnet.onnx", threads, providers)
        self._refine = Network("mtcnn-rnet.onnx", threads, providers)
        self._finish = Network("mtcnn-onet.onnx", threads, providers)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Find the faces of a photo, by falling area of their boxes; an empty list when there is none.

        Args:
            image: ``uint8 (H, W, 3)``, upright RGB, of any size.

        Raises:
            ImageError: the array has another form.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ImageError(f"the image is {image.dtype} of shape {image.shape}; give uint8 (H, W, 3), see load_image")
        height, width = image.shape[:2]
        longest = max(height, width)
        shrink = min(1.0, DETECTION_SIZE / longest) if longest else 1.0
        if min(height, width) * shrink < CELL:
            return []
        min_face = max(MIN_FACE, longest / FACES_ACROSS) if self.min_face is None else self.min_face
        pyramid = Pyramid(_scaled(image, shrink))
        boxes = self._proposals(pyramid, max(CELL, min_face * shrink))
        boxes = self._refined(pyramid, boxes)
        boxes, scores, landmarks = self._finished(pyramid, boxes)
        back = np.array([width / pyramid.width, height / pyramid.height], dtype=np.float32)
        boxes, landmarks = boxes * np.tile(back, 2), landmarks * back
        large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= min_face
        return [
            Detection(Box(*boxes[i].tolist()), float(scores[i]), landmarks[i])
            for i in np.argsort(-areas(boxes), kind="stable")
            if large[i]
        ]

    def _proposals(self, pyramid: Pyramid, min_face: float) -> Floats:
        """Boxes ``(N, 4)`` from the windows of all scales."""
        found_boxes, found_scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        for width, height in _scales(pyramid.width, pyramid.height, min_face):
            scores, offsets = self._propose(pyramid.resized(width, height)[None])
            rows, columns = np.nonzero(scores[0, 0] > self.thresholds[0])
            corners = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
            unit = np.array([pyramid.width / width, pyramid.height / height], dtype=np.float32)
            windows = np.concatenate([corners * unit, (corners + CELL) * unit], axis=1)
            kept = suppress(windows, scores[0, 0, rows, columns], 0.5, limit=MAX_PROPOSALS)
            rows, columns = rows[kept], columns[kept]
            found_boxes.append(shift(windows[kept], offsets[0, :, rows, columns]))
            found_scores.append(scores[0, 0, rows, columns])
        boxes, scores = np.concatenate(found_boxes), np.concatenate(found_scores)
        return _usable(squares(boxes[suppress(boxes, scores, 0.7, limit=MAX_PROPOSALS)]), pyramid)

    def _refined(self, pyramid: Pyramid, boxes: Floats) -> Floats:
        """The boxes that the second network confirms, moved and made square."""
        scores, offsets = self._refine(pyramid.crops(boxes, 24))
        passed = scores[:, 0] > self.thresholds[1]
        boxes, offsets, scores = boxes[passed], offsets[passed], scores[passed, 0]
        kept = suppress(boxes, scores, 0.7)[:MAX_REFINED]
        return _usable(squares(shift(boxes[kept], offsets[kept])), pyramid)

    def _finished(self, pyramid: Pyramid, boxes: Floats) -> tuple[Floats, Floats, Floats]:
        """Final boxes ``(N, 4)``, scores ``(N,)`` and landmarks ``(N, 5, 2)``."""
        scores, offsets, points = self._finish(pyramid.crops(boxes, 48))
        passed = scores[:, 0] > self.thresholds[2]
        boxes, offsets, points, scores = boxes[passed], offsets[passed], points[passed], scores[passed, 0]
        landmarks = boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])
        boxes = shift(boxes, offsets)
        # Over the smaller area: a face must not be reported again for its inner part.
        kept = suppress(boxes, scores, 0.7, over="smaller")
        return boxes[kept], scores[kept], landmarks[kept]


def _scaled(image: NDArray[np.uint8], shrink: float) -> Image.Image:
    photo = Image.fromarray(image)
    if shrink == 1:
        return photo
    size = (max(CELL, round(photo.width * shrink)), max(CELL, round(photo.height * shrink)))
    return photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def _scales(width: int, height: int, min_face: float) -> list[tuple[int, int]]:
    """Sizes at which faces of ``min_face`` pixels and of each larger size fill the window, down to one window."""
    scale, sizes = CELL / min_face, []
    while min(width, height) * scale >= CELL:
        sizes.append((round(width * scale), round(height * scale)))
        scale *= FACTOR
    return sizes


def _usable(boxes: Floats, pyramid: Pyramid) -> Floats:
    """Drop what the networks moved out of the photo, shrank to nothing or blew up."""
    side = boxes[:, 2] - boxes[:, 0]
    inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < (pyramid.width, pyramid.height)).all(axis=1)
    return boxes[inside & (side >= CELL / 2) & (side <= 2 * max(pyramid.width, pyramid.height))]
