"""Smiling or neutral, and identity, on the Face Research Lab London Set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _expression import labels_of
from _identity import PROTOCOL, difference_figures, evaluate_systems, fold_details, system_figures
from _photos import some_people
from _report import Figure, Section, Target
from _views import MIEN, Viewer, Views

from mien import Mien
from mien.cli.console import progress
from mien.datasets import read_london
from mien.evaluation import bootstrap_people, make_pairs, pair_distances, percentile_interval, wilson
from mien.types import Expression

TARGET = Target(0.90, "at least")
EXPRESSION_PROTOCOL = (
    "Neutral and smiling studio portraits, of people the model was not trained on, in colour; mien's detection and "
    "alignment, the largest face; a photo in which no face is found (without repeating its border) counts as wrong. "
    "Intervals: bootstrap over people."
)


def on_london(folder: Path, mien: Mien, count: int | None) -> list[Section]:
    """Evaluate both answers on all photos, or on those of some people."""
    samples = some_people(read_london(folder), count)
    with progress(len(samples), samples.name) as advance:
        views = Viewer(mien)(samples.samples, advance)
    results = evaluate_systems(views, fars=())
    figures = [*system_figures(results), *_own_threshold(views, mien), *difference_figures(results)]
    interval, expression = "95 % interval", _expression(views, mien)
    return [
        Section("Expression: London Set", EXPRESSION_PROTOCOL, interval, expression, views.lines()),
        Section("Identity: London Set", PROTOCOL, interval, figures, details=fold_details(results)),
    ]


def _expression(views: Views, mien: Mien) -> list[Figure]:
    classes = mien.contract.expressions
    labels = labels_of(views.samples, classes)
    two = [classes.index(Expression.NEUTRAL), classes.index(Expression.HAPPINESS)]
    found = np.array([way == "detected" for way in views.ways["mien"]])
    of_two = np.array(two)[views.expressions[:, two].argmax(axis=1)]
    of_all = views.expressions.argmax(axis=1)
    people = np.unique([sample.identity or "" for sample in views.samples], return_inverse=True)[1]
    n = f"{len(labels)} photos of {people.max() + 1} people"
    figures = []
    for name, answer, target in (
        ("right one of the two on top", of_two, TARGET),
        ("right one on top of all classes", of_all, None),
    ):
        right = found & (answer == labels)
        figures.append(_share(name, right, people, n, target))
        for expression, k in zip(("neutral", "smiling"), two, strict=True):
            own = right[labels == k]
            figures.append(Figure(f"{name}: {expression}", float(own.mean()), "%", f"{len(own)} photos"))
    return figures


def _own_threshold(views: Views, mien: Mien) -> list[Figure]:
    """What the model's recommended threshold, chosen on other people and photos, gives on all pairs."""
    if mien.contract.threshold is None:
        return []
    pairs = make_pairs(views.identities, folds=1, impostors_per_genuine=len(views.samples))
    accepted = pair_distances(views.embeddings[MIEN], pairs) <= mien.contract.threshold.distance
    figures = []
    for name, of in (("TAR", pairs.same), ("FAR", ~pairs.same)):
        share = wilson(int(accepted[of].sum()), int(of.sum()))
        what = f"{MIEN}: {name} at the model's threshold of {mien.contract.threshold.distance:.3f}"
        figures.append(Figure(what, float(accepted[of].mean()), "%", f"{of.sum()} pairs", share.low, share.high))
    return figures


def _share(name: str, right: np.ndarray, people: np.ndarray, n: str, target: Target | None) -> Figure:
    def share(drawn: np.ndarray) -> np.ndarray:
        weights = drawn[people]
        return np.array([(weights * right).sum() / weights.sum()])

    interval = percentile_interval(bootstrap_people(share, int(people.max()) + 1)[:, 0])
    return Figure(name, float(right.mean()), "%", n, interval.low, interval.high, target)
