"""A table of verification thresholds from photos of known people, on all their impostor pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.impostors import LEAST_ACCEPTED, Tail, nearest_impostors
from mien.evaluation.intervals import bootstrap_people, percentile_interval
from mien.evaluation.pairs import Labels, encode_people, euclidean, genuine_pairs
from mien.thresholds import Threshold, ThresholdTable

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FARS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The rates that a table has rows for, as far as the impostor pairs carry them."""

_DIGITS = 1e6  # a row's distance is rounded down to the sixth decimal


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
    genuine = euclidean(vectors, *genuine_pairs(person, seed=seed).T)  # of at most ten pairs per person
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
