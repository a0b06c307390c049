"""How well a score tells two classes apart, whatever the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.intervals import Estimate, bootstrap_people, percentile_interval
from mien.evaluation.roc import SortedPairs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def area_under_roc(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    people: NDArray[np.integer] | None = None,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The chance that a positive item has a higher score than a negative one, ties counting half.

    The interval, at 95 %, is over people, since several items of a person are not independent.

    Args:
        scores: ``(N,)`` finite.
        positive: ``(N,)``.
        people: ``(N,)`` number of each item's person, from 0; None takes each item for a person of its own.
        bootstrap: how often to draw people.
        seed: seed of the draws.

    Raises:
        DataError: one of the two classes is absent, or the arrays do not fit.

    >>> estimate = area_under_roc(np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False]))
    >>> estimate.value
    0.75
    """
    whose = np.arange(len(scores)) if people is None else np.asarray(people, np.int64)
    if whose.shape != np.shape(scores):
        raise DataError(f"people {whose.shape} do not fit scores {np.shape(scores)}; give one for each item")
    ordered = SortedPairs(-np.asarray(scores, np.float64), positive)

    def area(drawn: Integers) -> Floats:
        try:
            return np.array([ordered.roc(drawn[whose].astype(np.float64)).auc])
        except DataError:  # a class was not drawn
            return np.array([np.nan])

    value = ordered.roc().auc
    replicates = bootstrap_people(area, int(whose.max()) + 1, replicates=bootstrap, seed=seed)
    return Estimate(value, percentile_interval(replicates[:, 0]))
