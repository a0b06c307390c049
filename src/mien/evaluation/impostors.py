"""All impostor pairs of many photos, of which the closest are kept: those that rates at small FARs depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST_ACCEPTED = 10
"""Impostor pairs that a FAR must accept to be reported: with fewer, it is known to less than a third of itself even if
the pairs were independent."""

_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The impostor pairs with the smallest distances.

    Attributes:
        distances: ``(K,)`` ascending.
        first: ``(K,)`` who is on the one photo, as a number below ``len(sizes)``.
        second: ``(K,)`` who is on the other.
        sizes: ``(people,)`` how many photos each person has.
    """

    distances: Floats
    first: Integers
    second: Integers
    sizes: Integers

    def pairs(self, drawn: Integers | None = None) -> float:
        """How many impostor pairs there are in all, when each person is drawn so often (once by default)."""
        photos = self.sizes if drawn is None else self.sizes * drawn
        return float((int(photos.sum()) ** 2 - int((photos**2).sum())) // 2)


def nearest_impostors(vectors: Floats, person: Integers, share: float) -> Tail:
    """The smallest ``share`` of all impostor distances, and one more; a block of rows is held at a time.

    Args:
        vectors: ``(N, D)``.
        person: ``(N,)`` numbers of the people, from 0.
        share: of the pairs, in (0, 1).
    """
    sizes = np.bincount(person)
    wanted = int(share * Tail(np.empty(0), person[:0], person[:0], sizes).pairs()) + 1
    squares = np.einsum("nd,nd->n", vectors, vectors)
    kept: list[tuple[Floats, Integers, Integers]] = []
    limit, held = np.inf, 0
    for start in range(0, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        squared = squares[rows, None] + squares[None, start:] - 2 * vectors[rows] @ vectors[start:].T
        later = rows[:, None] < np.arange(start, len(vectors))
        chosen = later & (person[rows, None] != person[None, start:]) & (squared <= limit)
        at, to = np.nonzero(chosen)
        kept.append((squared[at, to], rows[at], to + start))
        held += len(at)
        if held > 4 * wanted:
            kept = [_smallest(kept, wanted)]
            limit, held = float(kept[0][0].max()), wanted
    squared, first, second = _smallest(kept, wanted)
    order = np.argsort(squared, kind="stable")
    distances = np.sqrt(np.maximum(squared[order], 0))
    return Tail(distances, person[first[order]], person[second[order]], sizes)


def _smallest(parts: Sequence[tuple[Floats, Integers, Integers]], count: int) -> tuple[Floats, Integers, Integers]:
    squared, first, second = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(squared) <= count:
        return squared, first, second
    chosen = np.sort(np.argpartition(squared, count - 1)[:count])
    return squared[chosen], first[chosen], second[chosen]
