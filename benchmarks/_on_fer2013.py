"""Expression on FER2013's PublicTest: by the votes of ten people per photo (FER+), and by FER2013's own labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _expression import CALIBRATION, confusion, labels_of, recall_figures, summary_figures
from _guard import digests, public_test_figures
from _photos import some_photos
from _report import Figure, Section, Target
from numpy.typing import NDArray

from mien import Mien
from mien.cli.console import progress
from mien.datasets import SampleSet, digest
from mien.datasets.layouts.ferplus import ANSWERS, MOST_DIFFERENT, read_votes
from mien.errors import DataError
from mien.evaluation import ExpressionSummary, summarize_expression, unique_majority
from mien.images import load_image
from mien.training import Recipe
from mien.types import Expression, ImageFailure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

SEVEN = tuple(str(expression) for expression in Expression if expression is not Expression.CONTEMPT)
AGREEING = 6
MAJORITY, CLEAR, OWN = "unique majority", "six or more of ten agree", "FER2013's label"
TARGETS = {
    MAJORITY: {
        "accuracy": Target(0.83, "at least"),
        "mean recall": Target(0.66, "at least"),
        "calibration error": Target(0.03, "at most"),
    },
    CLEAR: {"accuracy": Target(0.89, "at least")},
}

PROTOCOL = (
    "PublicTest; each 48-pixel photo resized as a whole (detect=False), one model, one crop; all classes of the model "
    f"compete. Calibration error: {CALIBRATION}. Intervals: 1,000 draws of photos; of recalls Wilson's."
)
VOTES_PROTOCOL = (
    f"{PROTOCOL} Labels by FER+, ten votes per photo. Unique majority: of the ten columns (seven expressions, "
    'contempt, "unknown", "no face") the one with most votes is one of the seven expressions, and no other column has '
    f"as many; six or more of ten agree: of these photos, those whose expression has at least {AGREEING} votes. Left "
    f"out: photos without votes, and those that were matched to FER+ with a mean squared difference above "
    f"{MOST_DIFFERENT:g}."
)
LABELS_PROTOCOL = f"{PROTOCOL} Photos that repeat: pixel for pixel the same as one of the Training split."


class Answers:
    """Probabilities ``(N, C)``, to be compared with one labelling or another."""

    def __init__(self, scores: Floats, names: list[str]) -> None:
        self.scores = scores
        self.names = names

    def summary(self, labels: Integers, chosen: Booleans) -> ExpressionSummary:
        """Of the photos that are chosen."""
        return summarize_expression(self.scores[chosen], labels[chosen], self.names)


def on_fer2013(
    everything: SampleSet, table: Path, mien: Mien, count: int | None, recipe: Recipe | None
) -> list[Section]:
    """Evaluate on all photos of PublicTest, or on some.

    Args:
        everything: FER2013's photos.
        table: the votes of FER+.
        mien: with the model.
        count: about so many photos; None for all.
        recipe: what the model was trained by, if known.
    """
    test = some_photos(everything.split("public-test"), count)
    votes = votes_of(test, table)
    scores = expression_scores(mien, test)
    repeated = repeats(everything.split("train"), test)
    answers = Answers(scores, [str(name) for name in mien.contract.expressions])
    return [
        _votes_section(answers, votes, repeated),
        _labels_section(answers, labels_of(test.samples, mien.contract.expressions), repeated, recipe),
    ]


def votes_of(samples: SampleSet, table: Path) -> Integers:
    """The votes ``(N, 10)`` of the photos: the seven expressions, then contempt, "unknown" and "no face".

    Zeros where a photo has no votes, or where these may be another photo's.
    """
    rows = read_votes(table)
    columns = [*SEVEN, *(name for name in ANSWERS if name not in SEVEN)]
    votes = np.zeros((len(samples), len(columns)), np.int64)
    for k, sample in enumerate(samples.samples):
        row = rows.get(sample.name, {})
        if row.get(columns[0]) and float(row.get("pixel_mse") or 0) <= MOST_DIFFERENT:
            votes[k] = [int(row[name] or 0) for name in columns]
    return votes


def expression_scores(mien: Mien, samples: SampleSet) -> Floats:
    """Probabilities ``(N, C)`` of photos that are face crops.

    Raises:
        DataError: a photo cannot be read.
        MissingOutputError: the model does not tell expressions.
    """
    mien.contract.require_expression()
    scores = []
    with progress(len(samples), samples.name) as advance:
        for answer in mien.analyze_stream([sample.source for sample in samples.samples], detect=False):
            if isinstance(answer, ImageFailure):
                raise DataError(f"{answer.message}; a figure over fewer photos would not be comparable")
            assert answer[0].expression is not None
            scores.append(answer[0].expression.probabilities)
            advance()
    return np.array(scores)


def repeats(train: SampleSet, test: SampleSet) -> Booleans:
    """Which test photos occur in the training split: ``(N,)``."""
    seen = digests(train)
    return np.array([digest(load_image(sample.source)) in seen for sample in test.samples])


def _votes_section(answers: Answers, votes: Integers, repeated: Booleans) -> Section:
    majority, most = unique_majority(votes, len(SEVEN))
    position = {name: k for k, name in enumerate(answers.names)}
    # A class that the model does not know can only be answered wrongly; no label is dropped silently.
    if missing := [SEVEN[k] for k in np.unique(majority[majority >= 0]) if SEVEN[k] not in position]:
        raise DataError(f"the model does not tell {', '.join(missing)}; it cannot be measured on FER+'s seven classes")
    labels = np.array([position[SEVEN[k]] if k >= 0 else -1 for k in majority], np.int64)
    everything = answers.summary(labels, np.ones(len(labels), bool))
    figures = [
        *summary_figures(MAJORITY, everything, TARGETS[MAJORITY]),
        *summary_figures(CLEAR, answers.summary(labels, most >= AGREEING), TARGETS[CLEAR]),
        *summary_figures(f"{MAJORITY}, without repeats", answers.summary(labels, ~repeated), {}),
        *recall_figures(MAJORITY, everything),
    ]
    details: dict[str, object] = {"confusion": everything.confusion.tolist(), "classes": answers.names}
    title = "Expression: FER2013 PublicTest by the votes of FER+"
    return Section(title, VOTES_PROTOCOL, "95 % interval", figures, confusion(everything), details)


def _labels_section(answers: Answers, labels: Integers, repeated: Booleans, recipe: Recipe | None) -> Section:
    everything = answers.summary(labels, np.ones(len(labels), bool))
    figures: list[Figure] = [
        *summary_figures(OWN, everything, {}),
        *summary_figures(f"{OWN}, without the {repeated.sum()} that repeat", answers.summary(labels, ~repeated), {}),
        *recall_figures(OWN, everything),
        *public_test_figures(recipe, int(repeated.sum()), len(labels)),
    ]
    details: dict[str, object] = {"confusion": everything.confusion.tolist(), "classes": answers.names}
    title = "Expression: FER2013 PublicTest by FER2013's labels"
    return Section(title, LABELS_PROTOCOL, "95 % interval", figures, confusion(everything), details)
