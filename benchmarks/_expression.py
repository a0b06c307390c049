"""Expression figures of faces whose people occur more than once: intervals over people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from _report import Figure, confusion_lines
from numpy.typing import NDArray

from mien.datasets import UNLABELLED, Sample
from mien.evaluation import ExpressionResult, bootstrap_people, evaluate_expression, percentile_interval
from mien.types import Expression

LEAST_PHOTOS = 30
"""Classes with fewer photos are left out of the means over classes: their figures would say nothing."""


def labels_of(samples: Sequence[Sample], classes: Sequence[Expression]) -> NDArray[np.int64]:
    """Position of each label among the model's classes, or -1."""
    known = {expression: position for position, expression in enumerate(classes)}
    return np.array([known.get(s.expression, UNLABELLED) if s.expression else UNLABELLED for s in samples], np.int64)


def people_figures(
    scores: NDArray[np.float32], samples: Sequence[Sample], classes: Sequence[Expression]
) -> tuple[list[Figure], list[str], dict[str, object]]:
    """Accuracy over all labelled photos, means over the large classes, recall of each; lines and details."""
    labels = labels_of(samples, classes)
    result = evaluate_expression(scores, labels, [str(name) for name in classes], bootstrap=0)
    large = np.flatnonzero(result.confusion.sum(axis=1) >= LEAST_PHOTOS)
    labelled = labels >= 0
    people = np.unique([s.identity or s.name for s in samples], return_inverse=True)[1][labelled]
    truth, answer = labels[labelled], scores[labelled].argmax(axis=1)

    def statistics(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        return _accuracy_recall_f1(truth, answer, drawn[people].astype(np.float64), large)

    replicates = bootstrap_people(statistics, int(people.max()) + 1)
    n = f"{result.n} photos of {len(np.unique(people))} people"
    among = ", ".join(result.names[k] for k in large)
    names = ("accuracy", f"mean recall over {among}", f"macro F1 over {among}")
    values = statistics(np.ones(int(people.max()) + 1, np.int64))
    figures = []
    for name, value, column in zip(names, values, replicates.T, strict=True):
        interval = percentile_interval(column)
        figures.append(Figure(name, float(value), "%", n, interval.low, interval.high))
    return [*figures, *recall_figures(result)], _lines(result, samples, classes, large), {"confusion": _counts(result)}


def recall_figures(result: ExpressionResult) -> list[Figure]:
    """Recall of each class that occurs."""
    totals = result.confusion.sum(axis=1)
    return [
        Figure(f"recall of {name}", float(result.recall[k]), "%", f"{totals[k]} photos")
        for k, name in enumerate(result.names)
        if totals[k]
    ]


def confusion(result: ExpressionResult) -> list[str]:
    """The confusion matrix as a table."""
    return confusion_lines(result.names, _counts(result))


def _accuracy_recall_f1(
    truth: NDArray[np.int64], answer: NDArray[np.int64], weights: NDArray[np.float64], large: NDArray[np.int64]
) -> NDArray[np.float64]:
    right = weights * (truth == answer)
    recalls, f1s = [], []
    for k in large:
        labelled, answered, hit = weights[truth == k].sum(), weights[answer == k].sum(), right[truth == k].sum()
        recalls.append(hit / labelled if labelled else np.nan)
        f1s.append(2 * hit / (labelled + answered) if labelled + answered else np.nan)
    means = [np.mean(values) if values else np.nan for values in (recalls, f1s)]
    return np.array([right.sum() / weights.sum(), *means])


def _lines(
    result: ExpressionResult, samples: Sequence[Sample], classes: Sequence[Expression], large: NDArray[np.int64]
) -> list[str]:
    totals = result.confusion.sum(axis=1)
    small = [f"{name} ({totals[k]})" for k, name in enumerate(result.names) if k not in large]
    unknown = sum(s.expression is not None and s.expression not in classes for s in samples)
    return [
        f"Left out of the means over classes, with fewer than {LEAST_PHOTOS} photos: {', '.join(small) or 'none'}.",
        f"Photos with a label that the model does not know, not counted: {unknown}. The labels are known to be noisy.",
        *confusion(result),
    ]


def _counts(result: ExpressionResult) -> list[list[int]]:
    return [[int(count) for count in row] for row in result.confusion]
