"""Verification of videos: each is one point, the mean of its frames' embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

Floats = NDArray[np.float64]


def average_videos(
    embeddings: NDArray[np.floating], videos: Sequence[str], *, unit_length: bool = False
) -> tuple[tuple[str, ...], Floats]:
    """Average the embeddings of each video's frames, as is usual on YouTube Faces.

    Args:
        embeddings: ``(N, D)`` of frames.
        videos: ``(N,)`` the video of each frame.
        unit_length: bring the means to length 1, for networks whose embeddings have it.

    Returns:
        The V videos, sorted, and ``(V, D)``.

    Raises:
        DataError: the lists differ in length.

    >>> average_videos(np.array([[0.0, 2.0], [4.0, 0.0], [1.0, 1.0]]), ["b", "b", "a"])[1].tolist()
    [[1.0, 1.0], [2.0, 1.0]]
    """
    points = np.asarray(embeddings, np.float64)
    if points.ndim != 2 or len(points) != len(videos):
        raise DataError(f"embeddings {points.shape} do not fit {len(videos)} frames; give (N, D) for N frames")
    names, numbers = np.unique(np.asarray(videos, dtype=object).astype(str), return_inverse=True)
    sums = np.zeros((len(names), points.shape[1]))
    np.add.at(sums, numbers, points)
    means = sums / np.bincount(numbers)[:, None]
    if unit_length:
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return tuple(names.tolist()), means


def spread_frames(count: int, wanted: int) -> list[int]:
    """Positions of at most ``wanted`` of a video's frames, evenly spread from the first to the last.

    >>> spread_frames(9, 3), spread_frames(2, 5)
    ([0, 4, 8], [0, 1])
    """
    if count <= wanted:
        return list(range(count))
    return [round(position) for position in np.linspace(0, count - 1, wanted).tolist()]
