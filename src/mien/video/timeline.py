"""Expressions over time in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAPACITY = 512
"""Most points kept; finer than the pixels of a plot that fits a page."""


Point = tuple[float, NDArray[np.float64]]


class Timeline:
    """Values over time; when there are too many points, neighbours are averaged two by two.

    Args:
        capacity: most points kept, even.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._each = 1  # so many values go into a point
        self._points: list[Point] = []
        self._sum: Point | None = None  # of the values that do not yet make a point
        self._count = 0

    def add(self, time: float, values: NDArray[np.float64]) -> None:
        """Append ``(C,)`` values at a time not before the last."""
        self._sum = (time, values) if self._sum is None else (self._sum[0] + time, self._sum[1] + values)
        self._count += 1
        if self._count < self._each:
            return
        self._points.append((self._sum[0] / self._count, self._sum[1] / self._count))
        self._sum, self._count = None, 0
        if len(self._points) >= self._capacity:
            self._points = [_middle(*self._points[k : k + 2]) for k in range(0, len(self._points), 2)]
            self._each *= 2

    @property
    def points(self) -> list[Point]:
        """Time and ``(C,)`` values, in order of time."""
        if self._sum is None:
            return list(self._points)
        return [*self._points, (self._sum[0] / self._count, self._sum[1] / self._count)]


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
