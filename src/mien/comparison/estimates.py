"""Means over seeds, how surely they are known, and what they could have shown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
"""Of all intervals; those of differences hold for all comparisons together (Bonferroni)."""

POWER = 0.8
"""With which the smallest detectable difference would be found."""

LEAST_SEEDS = 10
"""With fewer, no difference is called real."""

RESAMPLINGS = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its interval (Student's t, where nothing else is said).

    Attributes:
        mean: over seeds.
        low: lower end of the interval; the mean itself with one seed; the lowest value where the seeds are given
            starting points.
        high: upper end, likewise.
        n: how many seeds.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval is of one sign, from `LEAST_SEEDS` seeds."""
        return self.n >= LEAST_SEEDS and not self.low <= 0 <= self.high


def estimate(values: Sequence[float], comparisons: int = 1) -> Estimate:
    """Mean and Student interval of independent values, widened for so many simultaneous comparisons.

    >>> estimate([1.0, 2.0, 3.0])
    Estimate(mean=2.0, low=-0.4841..., high=4.4841..., n=3)
    """
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Estimate(mean, mean, mean, len(values))
    half = float(stats.t.ppf(1 - (1 - LEVEL) / (2 * comparisons), len(values) - 1)) * statistics.stdev(values)
    half /= math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half, len(values))


def range_of(values: Sequence[float]) -> Estimate:
    """Mean, lowest and highest value."""
    return Estimate(statistics.fmean(values), min(values), max(values), len(values))


def detectable(values: Sequence[float], comparisons: int = 1) -> float:
    """The smallest true mean that a test of such values would tell from 0, with a probability of `POWER`.

    For a two-sided t test with the values' standard deviation, at the level that so many comparisons leave: the usual
    approximation by the sum of two quantiles. NaN with fewer than two values.

    >>> round(detectable([-1.0, 0.0, 1.0, 0.5, -0.5]), 2)
    1.31
    """
    if len(values) < 2:
        return float("nan")
    freedom = len(values) - 1
    quantiles = stats.t.ppf(1 - (1 - LEVEL) / (2 * comparisons), freedom) + stats.t.ppf(POWER, freedom)
    return float(quantiles) * statistics.stdev(values) / math.sqrt(len(values))


def same_within(values: Sequence[float]) -> float:
    """The smallest margin for which two one-sided t tests at 5 % call the mean equivalent to 0; NaN with one value.

    >>> round(same_within([-1.0, 0.0, 1.0, 0.5, -0.5]), 2)
    0.75
    """
    if len(values) < 2:
        return float("nan")
    half = float(stats.t.ppf(LEVEL, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return abs(statistics.fmean(values)) + half


def p_value(values: Sequence[float]) -> float:
    """Of the two-sided t test that the mean is 0; 1 where the values do not differ at all from 0.

    >>> round(p_value([1.0, 2.0, 3.0]), 4)
    0.0742
    """
    if len(values) < 2 or not any(values):
        return 1.0
    spread = statistics.stdev(values)
    if spread == 0:
        return 0.0
    return float(2 * stats.t.sf(abs(statistics.fmean(values)) / (spread / math.sqrt(len(values))), len(values) - 1))


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted for their number (Holm, 1979), in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(values)), key=lambda k: values[k])
    adjusted = [0.0] * len(values)
    largest = 0.0
    for place, k in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - place) * values[k]))
        adjusted[k] = largest
    return adjusted


def over_seeds_and_samples(differences: NDArray[np.float64]) -> Estimate:
    """Mean and percentile interval of ``(S, N)`` differences, with seeds and test samples drawn anew together.

    A plain interval over seeds says how sure a difference is on these test samples; this one, on samples like them.
    """
    seeds, samples = differences.shape
    random = np.random.default_rng(0)
    chosen_seeds = random.multinomial(seeds, [1 / seeds] * seeds, RESAMPLINGS) / seeds
    chosen_samples = random.multinomial(samples, [1 / samples] * samples, RESAMPLINGS) / samples
    means = ((chosen_seeds @ differences) * chosen_samples).sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(differences.mean()), float(low), float(high), seeds)
