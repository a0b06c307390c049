"""Expression on FER2013's PublicTest, with and without the photos that repeat inside the Training split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _expression import confusion, labels_of, recall_figures
from _photos import some_photos
from _report import Figure, Section, Target
from numpy.typing import NDArray

from mien import Mien
from mien.cli.console import progress
from mien.datasets import SampleSet, digest, read_fer2013
from mien.errors import DataError
from mien.evaluation import ExpressionResult, evaluate_expression
from mien.images import load_image
from mien.types import ImageFailure

TARGET = Target(0.70, "at least")
PROTOCOL = (
    "PublicTest; each 48-pixel photo resized as a whole (detect=False), one model, one crop. Share of photos whose "
    "most probable class is the labelled one, with Wilson's interval; macro F1 with a bootstrap over photos. Photos "
    "that repeat: pixel for pixel the same as one of the Training split."
)


def on_fer2013(folder: Path, mien: Mien, count: int | None) -> list[Section]:
    """Evaluate on all photos of PublicTest, or on some."""
    everything = read_fer2013(folder)
    test = some_photos(everything.split("public-test"), count)
    scores = expression_scores(mien, test)
    labels = labels_of(test.samples, mien.contract.expressions)
    repeated = repeats(everything.split("train"), test)
    names = [str(name) for name in mien.contract.expressions]
    every = evaluate_expression(scores, labels, names)
    without = evaluate_expression(scores[~repeated], labels[~repeated], names)
    figures = [
        *_figures("all photos", every, TARGET),
        *_figures(f"without the {repeated.sum()} that repeat", without),
        *recall_figures(every),
    ]
    details: dict[str, object] = {
        "confusion": every.confusion.tolist(),
        "confusion without repeats": without.confusion.tolist(),
        "classes": names,
    }
    return [Section("Expression: FER2013 PublicTest", PROTOCOL, "95 % interval", figures, confusion(every), details)]


def expression_scores(mien: Mien, samples: SampleSet) -> NDArray[np.float64]:
    """Probabilities ``(N, C)`` of photos that are face crops.

    Raises:
        DataError: a photo cannot be read, or the model does not know expressions.
    """
    scores = []
    with progress(len(samples), samples.name) as advance:
        for answer in mien.analyze_stream([sample.source for sample in samples.samples], detect=False):
            if isinstance(answer, ImageFailure):
                raise DataError(f"{answer.message}; a figure over fewer photos would not be comparable")
            if answer[0].expression is None:
                raise DataError(f"{mien.contract.model_id} does not answer expressions; give a model that does")
            scores.append(answer[0].expression.probabilities)
            advance()
    return np.array(scores)


def repeats(train: SampleSet, test: SampleSet) -> NDArray[np.bool_]:
    """Which test photos occur in the training split: ``(N,)``."""
    with progress(len(train), "looking for repeats") as advance:
        seen = set()
        for sample in train.samples:
            seen.add(digest(load_image(sample.source)))
            advance()
    return np.array([digest(load_image(sample.source)) in seen for sample in test.samples])


def _figures(what: str, result: ExpressionResult, target: Target | None = None) -> list[Figure]:
    n, interval, spread = f"{result.n} photos", result.accuracy_interval, result.macro_f1_interval
    assert spread is not None
    return [
        Figure(f"accuracy, {what}", result.accuracy, "%", n, interval.low, interval.high, target),
        Figure(f"macro F1, {what}", result.macro_f1, "%", n, spread.low, spread.high),
    ]
