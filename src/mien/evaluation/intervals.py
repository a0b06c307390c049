"""Intervals: Wilson's for a share of independent items, the bootstrap for everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: its lower end.
        high: its upper end.
        level: the confidence, in (0, 1).
    """

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its confidence interval.

    Attributes:
        value: the figure.
        interval: its interval.
    """

    value: float
    interval: Interval


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share of independent items (Wilson 1927).

    Args:
        successes: how many items succeeded, in [0, n].
        n: how many items there are.
        level: the confidence, in (0, 1).

    Raises:
        DataError: there is no item, or there are more successes than items.

    >>> interval = wilson(8, 10)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.4902, 0.9433)
    """
    if n <= 0 or not 0 <= successes <= n:
        raise DataError(f"{successes} successes of {n} items have no interval; give 0 <= successes <= n with n above 0")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    margin = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (centre - margin) / scale
    high = 1.0 if successes == n else (centre + margin) / scale
    return Interval(low, high, level)


def percentile_interval(replicates: Floats, level: float = 0.95) -> Interval:
    """The percentile interval of bootstrap replicates; undefined ones (NaN) are left out.

    Raises:
        DataError: no replicate is defined.
    """
    defined = replicates[~np.isnan(replicates)]
    if not defined.size:
        raise DataError("no bootstrap replicate is defined; there are too few items or people for an interval")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)


def bootstrap_items(
    statistic: Callable[[Integers], float], n: int, *, replicates: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Bootstrap a statistic over independent items.

    Args:
        statistic: takes ``(n,)`` indices of items, drawn with replacement.
        n: how many items there are.
        replicates: how many times to draw.
        seed: seed of the draws.
        level: the confidence, in (0, 1).
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, n, size=n)) for _ in range(replicates)]
    return percentile_interval(np.asarray(values, np.float64), level)


def bootstrap_people(
    statistics: Callable[[Integers], Floats], people: int, *, replicates: int = 1000, seed: int = 0
) -> Floats:
    """Draw people with replacement and compute statistics on each draw.

    Pairs of one person are not independent, nor are pairs that share a person: so the people are drawn, not the pairs.
    The same seed and number of people give the same draws, so that two models' replicates can be subtracted.

    Args:
        statistics: takes ``(people,)`` counts, how often each person was drawn, and returns ``(K,)`` figures.
        people: how many people there are.
        replicates: how many times to draw.
        seed: seed of the draws.

    Returns:
        ``(replicates, K)``.
    """
    rng = np.random.default_rng(seed)
    draws = (np.bincount(rng.integers(0, people, size=people), minlength=people) for _ in range(replicates))
    return np.stack([statistics(counts.astype(np.int64)) for counts in draws])
