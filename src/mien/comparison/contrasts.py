"""Two methods against each other, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.comparison.comparison import Comparison
from mien.comparison.estimates import (
    LEAST_SEEDS,
    LEVEL,
    Estimate,
    detectable,
    estimate,
    holm,
    over_seeds_and_samples,
    p_value,
    same_within,
)
from mien.comparison.records import Run


@dataclass(frozen=True, slots=True)
class Contrast:
    """One task's figure under a method minus that under another, in seed-wise pairs.

    Attributes:
        first: the method.
        second: the other.
        task: the task.
        difference: mean, with an interval that holds for all contrasts together.
        sampled: with an interval over seeds and test samples, for this contrast alone; None without figures of samples.
        p: of the t test, adjusted for the number of contrasts (Holm).
        detectable: the smallest difference that this test would have found, see `mien.comparison.estimates.detectable`.
        same_within: the smallest margin within which the two are equivalent, see `mien.comparison.estimates`.
    """

    first: str
    second: str
    task: str
    difference: Estimate
    sampled: Estimate | None
    p: float
    detectable: float
    same_within: float

    @property
    def real(self) -> bool:
        """Whether the adjusted test calls the difference real, from `LEAST_SEEDS` seeds."""
        return self.difference.n >= LEAST_SEEDS and self.p <= 1 - LEVEL


def contrast_all(comparison: Comparison, pairs: Sequence[tuple[str, str]]) -> list[Contrast]:
    """Contrast pairs of methods on every task; those without a seed that both finished are left out.

    All of them are one family: intervals are Bonferroni's, p values Holm's.
    """
    found = [
        (first, second, task, values)
        for first, second in pairs
        for task in comparison.tasks
        if (values := paired(comparison.runs.get(first, []), comparison.runs.get(second, []), task))
    ]
    adjusted = holm([p_value(values) for *_, values in found])
    return [
        Contrast(
            first,
            second,
            task,
            estimate(values, len(found)),
            _sampled(comparison, first, second, task),
            p,
            detectable(values, len(found)),
            same_within(values),
        )
        for (first, second, task, values), p in zip(found, adjusted, strict=True)
    ]


def paired(runs: Sequence[Run], others: Sequence[Run], task: str) -> list[float]:
    """Differences of the figures of the same seed, where neither run failed."""
    return [
        run.best.test[task] - other.best.test[task]
        for run, other in zip(runs, others, strict=False)
        if run.best and other.best
    ]


def _sampled(comparison: Comparison, first: str, second: str, task: str) -> Estimate | None:
    rows = [
        np.array(run.samples[task], dtype=np.float64) - np.array(other.samples[task], dtype=np.float64)
        for run, other in zip(comparison.runs[first], comparison.runs[second], strict=False)
        if run.best and other.best and task in run.samples and task in other.samples
    ]
    return over_seeds_and_samples(np.stack(rows)) if rows else None
