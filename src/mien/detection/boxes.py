"""Geometry on arrays of boxes ``(N, 4)``: left, top, right, bottom in pixels; pixel i covers [i, i + 1)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.intp]

BLOCK = 128
"""Boxes whose overlaps with all others are computed together: bounds the memory."""

SMALLEST = 6
"""Side in pixels below which a box says nothing: half of the smallest window that is judged."""


def areas(boxes: Floats) -> Floats:
    """Area of each box: ``(N, 4)`` to ``(N,)``; a turned-over box has none."""
    sides: Floats = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def overlaps(first: Floats, second: Floats, over: Literal["union", "smaller"] = "union") -> Floats:
    """Intersection of each box ``(N, 4)`` with each of ``(M, 4)``, over their union or the smaller: ``(N, M)``."""
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    np.maximum(sides, 0, out=sides)
    shared = sides[..., 0] * sides[..., 1]
    area, other = areas(first)[:, None], areas(second)[None, :]
    whole = area + other - shared if over == "union" else np.minimum(area, other)
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

    Boxes are taken by score, the highest and of equals the earlier first; each one that overlaps a taken one by more
    than ``threshold`` is dropped.

    Args:
        boxes: ``(N, 4)``.
        scores: ``(N,)``.
        threshold: largest overlap that two kept boxes may have.
        over: what the intersection is divided by: the union, or the area of the smaller box.
        limit: only so many boxes, those with the highest scores, are considered.

    Returns:
        Indices of the kept boxes, the highest score first.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    >>> suppress(boxes, np.array([0.8, 0.9, 0.7], np.float32), 0.5).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")[:limit]
    boxes, alive = boxes[order], np.ones(len(order), dtype=np.bool_)
    for start in range(0, len(order), BLOCK):
        rivals = overlaps(boxes[start : start + BLOCK], boxes[start:], over) > threshold
        for i, rival in enumerate(rivals):
            if alive[start + i]:
                alive[start + i + 1 :] &= ~rival[i + 1 :]
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
