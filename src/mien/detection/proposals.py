"""The first stage of MTCNN: windows of a photo in which a face may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.detection.boxes import Floats, shift, squares, suppress
from mien.detection.networks import Network
from mien.detection.pyramid import Pyramid
from mien.images import Pixels

CELL = 12
"""Side in pixels of the window that the network judges."""

STRIDE = 2
"""Step in pixels of that window."""

FACTOR = 0.709
"""Ratio of successive scales: halves the area, as in the authors' published code."""


STRIP = 32
"""Rows of windows that are judged at a time."""


class Proposals:
    """Looks for faces with P-Net, at each scale at which they may fill its window.

    Args:
        threads: as of `mien.detection.networks.Network`.
        providers: likewise.
    """

    def __init__(self, threads: int | None, providers: Sequence[str] | None) -> None:
        self._network = Network("mtcnn-pnet.onnx", threads, providers)

    def __call__(self, pyramid: Pyramid, min_face: float, least: float, most: int) -> Floats:
        """Find square boxes ``(N, 4)``, in pixels of the photo, best first.

        Args:
            pyramid: the photo.
            min_face: side of the smallest faces, in its pixels, at least `CELL`.
            least: least score.
            most: most windows of one scale, and most boxes of all scales; the best by score.
        """
        found_boxes, found_scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        for width, height in _scales(pyramid.width, pyramid.height, min_face):
            scores, offsets = self._judged(pyramid.resized(width, height))
            rows, columns = np.nonzero(scores[0, 0] > least)
            corners = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
            unit = np.array([pyramid.width / width, pyramid.height / height], dtype=np.float32)
            windows = np.concatenate([corners * unit, (corners + CELL) * unit], axis=1)
            kept = suppress(windows, scores[0, 0, rows, columns], 0.5, limit=most)
            rows, columns = rows[kept], columns[kept]
            found_boxes.append(shift(windows[kept], offsets[0, :, rows, columns]))
            found_scores.append(scores[0, 0, rows, columns])
        boxes, scores = np.concatenate(found_boxes), np.concatenate(found_scores)
        return squares(boxes[suppress(boxes, scores, 0.7, limit=most)])

    def _judged(self, image: Pixels) -> tuple[Floats, Floats]:
        """The network's score and offsets of each window, ``(1, 1, H', W')`` and ``(1, 4, H', W')``.

        Strips of the image are judged one after the other, which bounds the memory. Each holds all pixels that its rows
        of windows see, so the answers are those for the whole.
        """
        rows = -(-(len(image) - (CELL - STRIDE)) // STRIDE)
        starts = range(0, rows, STRIP)
        strips = [image[start * STRIDE : (min(start + STRIP, rows) - 1) * STRIDE + CELL] for start in starts]
        parts = [self._network(strip[None]) for strip in strips]
        scores, offsets = (np.concatenate(answers, axis=2) for answers in zip(*parts, strict=True))
        return scores, offsets


def _scales(width: int, height: int, min_face: float) -> list[tuple[int, int]]:
    """Sizes at which faces of ``min_face`` pixels and of each larger size fill the window, down to one window."""
    scale, sizes = CELL / min_face, []
    while min(width, height) * scale >= CELL:
        sizes.append((round(width * scale), round(height * scale)))
        scale *= FACTOR
    return sizes
