"""A table of verification thresholds from photos of known people, on all their impostor pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.intervals import bootstrap_people, percentile_interval
from mien.evaluation.pairs import Labels, encode_people, make_pairs, pair_distances
from mien.thresholds import Threshold, ThresholdTable

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FARS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The rates that a table has rows for, as far as the impostor pairs carry them."""

LEAST_ACCEPTED = 10
"""Impostor pairs that a row must accept: with fewer, its rate is known to less than a third of itself even if the pairs
were independent."""

_BLOCK = 512
_DIGITS = 1e6  # a row's distance is rounded down to the sixth decimal


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


def choose_thresholds(
    embeddings: NDArray[np.floating],
    identities: Labels,
    *,
    name: str,
    default_far: float = 1e-3,
    bootstrap: int = 1000,
    seed: int = 0,
) -> ThresholdTable:
    """Choose the distances for the rates of `FARS` and for the default.

    All pairs of photos of two people count. A row's distance lies midway between the largest that keeps to its FAR and
    the next one. Rows that accept fewer than `LEAST_ACCEPTED` pairs are left out; the default row needs one. Intervals
    are 95 %, of the FAR at the row's distance, from drawing people anew: pairs that share a person are not independent.

    Args:
        embeddings: ``(N, D)``, as the model answers.
        identities: ``(N,)`` who is on each photo; unlabelled ones are left out.
        name: of the data, in words.
        default_far: the FAR of the row to verify by, in (0, 1).
        bootstrap: how often to draw people.
        seed: of the draws, and of the genuine pairs.

    Raises:
        DataError: there are too few impostor pairs for the default, or nobody has two photos.
    """
    person, people = encode_people(identities)
    labelled = person >= 0
    vectors, person = np.asarray(embeddings, np.float64)[labelled], person[labelled]
    fars = sorted({*FARS, default_far}, reverse=True)
    tail = nearest_impostors(vectors, person, max(fars))
    total = tail.pairs()
    found = {far: _distance(tail.distances, int(far * total + 1e-6)) for far in fars}
    accepted = {far: int(np.searchsorted(tail.distances, found[far], side="right")) for far in fars}
    if not accepted[default_far]:
        raise DataError(
            f"{total:.0f} impostor pairs of {len(people)} people are too few for a threshold at FAR {default_far:g}; "
            f"give at least {math.ceil(1 / default_far)}, better a hundred times as many, or ask for a larger FAR"
        )
    kept = [far for far in fars if accepted[far] >= LEAST_ACCEPTED or far == default_far]
    intervals = _intervals(tail, [accepted[far] for far in kept], bootstrap, seed)
    genuine = _genuine_distances(vectors, person, seed)
    rows = [
        Threshold(
            distance=found[far],
            far=far,
            chosen_on=(
                f"{name}: {len(people)} people, {total:.0f} impostor pairs, {accepted[far]} of them accepted; "
                f"{len(genuine)} genuine pairs, TAR {np.mean(genuine <= found[far]):.4f}"
            ),
            far_interval=interval,
            impostor_pairs=int(total),
        )
        for far, interval in zip(kept, intervals, strict=True)
    ]
    return ThresholdTable(tuple(rows), default_far)


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


def _distance(distances: Floats, allowed: int) -> float:
    """The distance that accepts at most so many pairs; below 0 when none does."""
    if allowed >= len(distances):
        return float(distances[-1]) if len(distances) else -1.0
    high = distances[allowed]
    below = int(np.searchsorted(distances, high, side="left"))
    if not below:
        return -1.0
    return float(np.floor((distances[below - 1] + high) / 2 * _DIGITS) / _DIGITS)


def _intervals(tail: Tail, accepted: Sequence[int], bootstrap: int, seed: int) -> list[tuple[float, float]]:
    def rates(drawn: Integers) -> Floats:
        total = tail.pairs(drawn)
        if not total:
            return np.full(len(accepted), np.nan)
        weights = np.cumsum(drawn[tail.first] * drawn[tail.second])
        shares: Floats = weights[np.array(accepted) - 1] / total
        return shares

    replicates = bootstrap_people(rates, len(tail.sizes), replicates=bootstrap, seed=seed)
    found = [percentile_interval(column) for column in replicates.T]
    return [(interval.low, interval.high) for interval in found]


def _genuine_distances(vectors: Floats, person: Integers, seed: int) -> Floats:
    """Of at most ten pairs per person."""
    pairs = make_pairs(person, folds=1, impostors_per_genuine=1e-9, seed=seed)
    return pair_distances(vectors, pairs)[pairs.same]
