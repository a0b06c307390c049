"""The figures by which expression models are compared, each with its interval over photos or people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.expression import BINS, calibration_bins, evaluate_expression
from mien.evaluation.intervals import Estimate, bootstrap_people, percentile_interval, wilson

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionSummary:
    """How well expressions were recognized; intervals at 95 %.

    Attributes:
        n: how many labeled photos were counted.
        people: of how many people; of n where people are not known.
        accuracy: share of photos whose most probable class is the labeled one.
        base_rate: share of the most frequent label: the accuracy of an answer that never changes.
        mean_recall: mean of the recalls of the classes in ``averaged``.
        averaged: the classes that have enough photos to be averaged.
        calibration_error: see `mien.evaluation.calibration_error`.
        recall: of each class that occurs, with Wilson's interval.
        counts: photos of each class, those without any too.
        confusion: ``(C, C)`` counts; row: the label, column: the prediction.
    """

    n: int
    people: int
    accuracy: Estimate
    base_rate: float
    mean_recall: Estimate
    averaged: tuple[str, ...]
    calibration_error: Estimate
    recall: Mapping[str, Estimate]
    counts: Mapping[str, int]
    confusion: Integers


def summarize_expression(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    names: Sequence[str],
    *,
    people: NDArray[np.integer] | None = None,
    least: int = 1,
    bootstrap: int = 1000,
    seed: int = 0,
) -> ExpressionSummary:
    """Compare probabilities with labels.

    Args:
        probabilities: ``(N, C)``; rows sum to 1.
        labels: ``(N,)`` positions in ``names``; -1 is unlabeled and not counted.
        names: the C classes.
        people: ``(N,)`` number of each photo's person; None takes each photo for independent.
        least: classes with fewer photos are left out of the mean recall.
        bootstrap: how often to draw people, or photos.
        seed: seed of the draws.

    Raises:
        DataError: shapes do not fit, nothing is labeled, or no class has ``least`` photos.
    """
    result = evaluate_expression(probabilities, labels, names, bootstrap=0)
    labeled = np.asarray(labels) >= 0
    rows, truth = np.asarray(probabilities, np.float64)[labeled], np.asarray(labels, np.int64)[labeled]
    whose = np.arange(len(truth)) if people is None else np.unique(np.asarray(people)[labeled], return_inverse=True)[1]
    counts = result.confusion.sum(axis=1)
    averaged = np.flatnonzero(counts >= max(1, least))
    if not averaged.size:
        raise DataError(
            f"no class has {least} photos, so there is no mean recall; give more photos, or a smaller least"
        )
    answer = rows.argmax(axis=1)
    bin_of, surplus = calibration_bins(rows, truth, BINS)

    def figures(drawn: Integers) -> Floats:
        weights = drawn[whose].astype(np.float64)
        hits = np.bincount(truth, weights * (truth == answer), minlength=len(names))
        totals = np.bincount(truth, weights, minlength=len(names))
        occurring = averaged[totals[averaged] > 0]
        mean_recall = (hits[occurring] / totals[occurring]).mean() if occurring.size else np.nan
        gaps = np.abs(np.bincount(bin_of, weights * surplus, minlength=BINS)).sum()
        return np.array([hits.sum() / totals.sum(), mean_recall, gaps / totals.sum()])

    number = int(whose.max()) + 1
    replicates = bootstrap_people(figures, number, replicates=bootstrap, seed=seed)
    values = figures(np.ones(number, np.int64))
    accuracy, mean_recall, error = (
        Estimate(float(value), percentile_interval(column)) for value, column in zip(values, replicates.T, strict=True)
    )
    return ExpressionSummary(
        n=result.n,
        people=number,
        accuracy=accuracy,
        base_rate=float(counts.max() / result.n),
        mean_recall=mean_recall,
        averaged=tuple(names[int(k)] for k in averaged),
        calibration_error=error,
        recall={
            names[int(k)]: Estimate(float(result.recall[k]), wilson(int(result.confusion[k, k]), int(counts[k])))
            for k in np.flatnonzero(counts)
        },
        counts={name: int(count) for name, count in zip(names, counts, strict=True)},
        confusion=result.confusion,
    )
