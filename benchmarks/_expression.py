"""Expression figures: labels as the model's classes, and a summary as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from _report import Figure, Target, confusion_lines
from numpy.typing import NDArray

from mien.datasets import UNLABELLED, Sample
from mien.evaluation import ExpressionSummary
from mien.types import Expression

CALIBRATION = (
    "expected, of the most probable class, 15 bins; in a draw with repetitions it is on average larger than in the "
    "sample, which may lie near the lower end of its interval"
)
FIGURES = ("accuracy", "mean recall", "calibration error")


def labels_of(samples: Sequence[Sample], classes: Sequence[Expression]) -> NDArray[np.int64]:
    """Position of each label among the model's classes, or -1."""
    known = {expression: position for position, expression in enumerate(classes)}
    return np.array([known.get(s.expression, UNLABELLED) if s.expression else UNLABELLED for s in samples], np.int64)


def summary_figures(what: str, summary: ExpressionSummary, targets: Mapping[str, Target]) -> list[Figure]:
    """Accuracy with the base rate beside it, mean recall and calibration error.

    Args:
        what: the photos, in words; goes before each figure's name.
        summary: the figures.
        targets: by the names of `FIGURES`.
    """
    n = f"{summary.n} photos" + (f" of {summary.people} people" if summary.people < summary.n else "")
    notes = (f"base rate {100 * summary.base_rate:.1f} %", f"of {', '.join(summary.averaged)}", "")
    estimates = (summary.accuracy, summary.mean_recall, summary.calibration_error)
    return [
        Figure(
            f"{what}: {name}",
            estimate.value,
            "%",
            n,
            estimate.interval.low,
            estimate.interval.high,
            targets.get(name),
            note,
        )
        for name, estimate, note in zip(FIGURES, estimates, notes, strict=True)
    ]


def recall_figures(what: str, summary: ExpressionSummary) -> list[Figure]:
    """Recall of each class that occurs, with Wilson's interval."""
    return [
        Figure(
            f"{what}: recall of {name}",
            recall.value,
            "%",
            f"{summary.counts[name]} photos",
            recall.interval.low,
            recall.interval.high,
        )
        for name, recall in summary.recall.items()
    ]


def confusion(summary: ExpressionSummary) -> list[str]:
    """The confusion matrix as a table."""
    return confusion_lines(list(summary.counts), summary.confusion.tolist())
