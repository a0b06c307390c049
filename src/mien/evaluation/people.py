"""A mean over items with its interval over people, and over repetitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.intervals import Interval, bootstrap_people, percentile_interval, wilson

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def mean_over_people(
    values: NDArray[np.floating],
    first: NDArray[np.integer],
    second: NDArray[np.integer] | None = None,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Interval:
    """The interval, at 95 %, of the mean of ``values`` when other people had been met, and in other repetitions.

    Photos of one person are not independent, nor are pairs that share a person: so people are drawn with replacement. A
    pair of two people occurs as often as the product of their counts. Where all values are 0, or all 1, drawing people
    again tells nothing; then Wilson's interval is given, with the people of ``first`` as independent items. Repetitions
    are drawn with replacement too, each for all items together; few of them give too narrow an interval.

    Args:
        values: ``(N,)`` a figure of each item, e.g. the share of runs that decided it rightly; or ``(S, N)`` of each
            repetition, e.g. a seed of training.
        first: ``(N,)`` number of its person; of a pair, the first one's.
        second: ``(N,)`` number of a pair's second person.
        bootstrap: how often to draw.
        seed: seed of the draws.

    Raises:
        DataError: there is no item.
    """
    values = np.atleast_2d(np.asarray(values, np.float64))
    repetitions, items = values.shape
    if not values.size:
        raise DataError("a mean over no items has no interval; give at least one item")
    if np.all(values == values[0, 0]) and values[0, 0] in (0.0, 1.0):
        people = len(np.unique(first))
        return wilson(people * values[0, 0], people)
    numbers = np.unique(np.concatenate([first, first if second is None else second]), return_inverse=True)[1]
    one, other = numbers[:items], numbers[items:]

    def means(drawn: Integers) -> Floats:
        weights = np.where(one == other, drawn[one], drawn[one] * drawn[other])
        total = weights.sum()
        return (weights * values).sum(axis=1) / total if total else np.full(repetitions, np.nan)

    replicates = bootstrap_people(means, int(numbers.max()) + 1, replicates=bootstrap, seed=seed)
    rng = np.random.default_rng([seed, repetitions])  # apart from the people's draws
    chosen = rng.integers(0, repetitions, size=replicates.shape)
    return percentile_interval(np.take_along_axis(replicates, chosen, axis=1).mean(axis=1))
