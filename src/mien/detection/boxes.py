"""Geometry on arrays of boxes ``(N, 4)``: left, top, right, bottom in pixels; pixel i covers [i, i + 1)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.intp]

SMALLEST = 6
"""Side in pixels below which a box says nothing: half of the smallest window that is judged."""


def areas(boxes: Floats) -> Floats:
    """Area of each box: ``(N, 4)`` to ``(N,)``; a turned-over box has none."""
    sides: Floats = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def overlaps(boxes: Floats, over: Literal["union", "smaller"] = "union") -> Floats:
    """Intersection of each pair of boxes, over their union or over the smaller of both: ``(N, N)`` in [0, 1]."""
    sides = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    np.maximum(sides, 0, out=sides)
    shared = sides[..., 0] * sides[..., 1]
    area = areas(boxes)
    whole = area[:, None] + area[None, :] - shared if over == "union" else np.minimum(area[:, None], area[None, :])
    fraction: Floats = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return fraction


def suppress(
    boxes: Floats,
    scores: Floats,
    threshold: float,
    over: Literal["union", "smaller"] = "union",
    limit: int | None = None,
) -> Indices:
    """Greedy non-maximum suppression.

    Boxes are taken by falling score (the earlier of equals first); each one that overlaps a taken one by more than
    ``threshold`` is dropped. All overlaps are computed at once, so memory grows with the square of ``limit``.

    Args:
        boxes: ``(N, 4)``.
        scores: ``(N,)``.
        threshold: largest overlap that two kept boxes may have.
        over: what the intersection is divided by: the union, or the area of the smaller box.
        limit: only so many boxes, those with the highest scores, are considered.

    Returns:
        Indices of the kept boxes by falling score.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7], np.float32), 0.5).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")[:limit]
    rivals = overlaps(boxes[order], over) > threshold
    alive = np.ones(len(order), dtype=np.bool_)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~rivals[i, i + 1 :]
    return order[alive]


def shift(boxes: Floats, offsets: Floats) -> Floats:
    """Move each edge by its regressed offset, given in widths (left, right) and heights (top, bottom) of its box."""
    width, height = (boxes[:, 2] - boxes[:, 0])[:, None], (boxes[:, 3] - boxes[:, 1])[:, None]
    moved: Floats = boxes + offsets * np.concatenate([width, height, width, height], axis=1)
    return moved


def squares(boxes: Floats) -> Floats:
    """The smallest squares with the same centres that hold the boxes."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def usable(boxes: Floats, width: int, height: int) -> Floats:
    """Drop squares that lie outside of the photo, have shrunk to nothing or were blown up."""
    side = boxes[:, 2] - boxes[:, 0]
    inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < (width, height)).all(axis=1)
    return boxes[inside & (side >= SMALLEST) & (side <= 2 * max(width, height))]
