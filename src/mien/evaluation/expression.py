"""Expression classification: accuracy, recall of each class, macro F1, the confusion matrix and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.intervals import Interval, bootstrap_items, bootstrap_people, percentile_interval, wilson

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BINS = 15
"""Bins of the calibration error, as in Guo et al., ICML 2017."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionResult:
    """How well expressions were recognised.

    Attributes:
        names: the C classes in order.
        n: how many labelled items were counted.
        accuracy: share of items whose most probable class is the labelled one.
        accuracy_interval: Wilson's interval of it, at 95 %.
        recall: ``(C,)`` share of each class's items that were recognised; NaN for a class without items.
        f1: ``(C,)`` F1 of each class; NaN for a class that neither occurs nor is predicted.
        macro_recall: mean recall over the classes that occur (also called balanced accuracy).
        macro_f1: mean F1 over the classes that occur or are predicted.
        macro_f1_interval: bootstrap interval of it over items, at 95 %; None when not asked for.
        confusion: ``(C, C)`` counts; row: the label, column: the prediction.
    """

    names: tuple[str, ...]
    n: int
    accuracy: float
    accuracy_interval: Interval
    recall: Floats
    f1: Floats
    macro_recall: float
    macro_f1: float
    macro_f1_interval: Interval | None
    confusion: Integers


def evaluate_expression(
    scores: NDArray[np.floating],
    labels: NDArray[np.integer] | Sequence[int],
    names: Sequence[str],
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> ExpressionResult:
    """Compare scores with labels; the class with the highest score is the prediction, the first of equal ones.

    Args:
        scores: ``(N, C)`` probabilities or logits.
        labels: ``(N,)`` positions in ``names``; -1 is unlabelled and not counted.
        names: the C classes.
        bootstrap: replicates for the interval of macro F1; 0 for none.
        seed: seed of the bootstrap.

    Raises:
        DataError: shapes do not fit, a score is NaN, a label is outside the classes, or nothing is labelled.

    >>> result = evaluate_expression(np.eye(2)[[0, 1, 1, 0]], [0, 1, 0, -1], ["neutral", "happiness"])
    >>> result.n, round(result.accuracy, 3), result.confusion.tolist()
    (3, 0.667, [[1, 1], [0, 1]])
    """
    scores, truth = np.asarray(scores), np.asarray(labels, np.int64)
    classes = len(names)
    if scores.ndim != 2 or scores.shape != (len(truth), classes):
        raise DataError(
            f"scores {scores.shape} do not fit {len(truth)} labels of {classes} classes; give (N, C) scores"
        )
    if np.isnan(scores).any():
        raise DataError("a score is NaN; the model's output is damaged")
    if ((truth < -1) | (truth >= classes)).any():
        raise DataError(f"a label is outside -1..{classes - 1}; give positions in {list(names)} or -1 for unlabelled")
    labelled = truth >= 0
    if not labelled.any():
        raise DataError("no item is labelled; there is nothing to evaluate")
    truth, predicted = truth[labelled], scores[labelled].argmax(axis=1)
    confusion = confusion_matrix(truth, predicted, classes)
    recall, f1 = _recall_and_f1(confusion)
    correct, n = int(np.trace(confusion)), len(truth)

    def resampled_macro_f1(items: Integers) -> float:
        return float(np.nanmean(_recall_and_f1(confusion_matrix(truth[items], predicted[items], classes))[1]))

    return ExpressionResult(
        names=tuple(names),
        n=n,
        accuracy=correct / n,
        accuracy_interval=wilson(correct, n),
        recall=recall,
        f1=f1,
        macro_recall=float(np.nanmean(recall)),
        macro_f1=float(np.nanmean(f1)),
        macro_f1_interval=bootstrap_items(resampled_macro_f1, n, replicates=bootstrap, seed=seed)
        if bootstrap
        else None,
        confusion=confusion,
    )


def calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer] | Sequence[int], bins: int = BINS
) -> float:
    """Expected calibration error of the most probable class, in [0, 1] (Guo et al., ICML 2017, equation 3).

    Items are sorted by the probability of their most probable class into bins of equal width, open below and closed
    above. The error is the mean over the items of the distance, in their bin, between the share of items whose most
    probable class is right and the mean of its probability.

    Args:
        probabilities: ``(N, C)``; rows sum to 1.
        labels: ``(N,)`` positions of the right classes; -1 is unlabelled and not counted.
        bins: how many there are; 15 in the paper.

    Raises:
        DataError: shapes do not fit, rows do not sum to 1, or nothing is labelled.

    >>> round(calibration_error(np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]), [0, 1, 1]), 6)  # (2 * 0.4 + 0.4) / 3
    0.4
    """
    rows, truth = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    if rows.ndim != 2 or len(rows) != len(truth):
        raise DataError(f"probabilities {rows.shape} do not fit {len(truth)} labels; give (N, C) for N labels")
    rows, truth = rows[truth >= 0], truth[truth >= 0]
    if not len(truth):
        raise DataError("no item is labelled; there is nothing to evaluate")
    bin_of, surplus = calibration_bins(rows, truth, bins)
    return float(np.abs(np.bincount(bin_of, surplus, minlength=bins)).sum() / len(truth))


def calibration_bins(probabilities: Floats, truth: Integers, bins: int) -> tuple[Integers, Floats]:
    """The two parts of `calibration_error`, for each labelled item.

    Returns:
        ``(N,)`` the item's bin, and ``(N,)`` 1 or 0 for right or wrong less the probability of its most probable class.

    Raises:
        DataError: rows do not sum to 1.
    """
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise DataError("the rows of the probabilities do not sum to 1; give probabilities, not logits")
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1), right - confidence


def macro_over_people(
    predicted: NDArray[np.integer],
    labels: NDArray[np.integer],
    people: NDArray[np.integer],
    classes: int,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Intervals, at 95 %, of macro recall and macro F1 when other people had been met.

    Args:
        predicted: ``(S, N)`` predictions of S models, whose figures are averaged.
        labels: ``(N,)`` positions in the classes.
        people: ``(N,)`` number of each item's person, from 0.
        classes: how many there are.
        bootstrap: how often to draw people.
        seed: seed of the draws.

    Raises:
        DataError: there is no item.
    """
    said, truth, whose = np.asarray(predicted, np.int64), np.asarray(labels, np.int64), np.asarray(people, np.int64)
    if not len(truth):
        raise DataError("no item is labelled; there is nothing to evaluate")
    count = int(whose.max()) + 1
    of_person = np.stack(
        [np.bincount((whose * classes + truth) * classes + one, minlength=count * classes**2) for one in said]
    ).reshape(len(said), count, classes, classes)

    def figures(drawn: Integers) -> Floats:
        found = [_recall_and_f1(confusion) for confusion in np.tensordot(of_person, drawn, axes=(1, 0))]
        return np.array([np.mean([np.nanmean(each[k]) for each in found]) for k in (0, 1)])

    replicates = bootstrap_people(figures, count, replicates=bootstrap, seed=seed)
    return percentile_interval(replicates[:, 0]), percentile_interval(replicates[:, 1])


def confusion_matrix(truth: Integers, predicted: Integers, classes: int) -> Integers:
    """Count ``(C, C)`` pairs of label (row) and prediction (column)."""
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _recall_and_f1(confusion: Integers) -> tuple[Floats, Floats]:
    correct = np.diagonal(confusion).astype(np.float64)
    occurring, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = np.divide(correct, occurring, out=np.full_like(correct, np.nan), where=occurring > 0)
    both = occurring + predicted
    f1 = np.divide(2 * correct, both, out=np.full_like(correct, np.nan), where=both > 0)
    return recall, f1
