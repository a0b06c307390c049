"""Smiling or neutral, and identity, on the Face Research Lab London Set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from _expression import labels_of
from _identity import PROTOCOL, THRESHOLD_PROTOCOL, Systems
from _photos import some_people
from _report import Figure, Section, Target, Unit
from _views import MODEL, Viewer, Views
from numpy.typing import NDArray

from mien import Mien
from mien.cli.console import progress
from mien.datasets import SampleSet
from mien.evaluation import Estimate, area_under_roc, mean_over_people
from mien.types import Expression, FoundBy

AREA_TARGET = Target(0.96, "at least")
TOP_TARGET = Target(0.86, "at least")
EER_TARGET = Target(0.0, "at most")
EXPRESSION_PROTOCOL = (
    "Neutral and smiling studio portraits, in colour, of people the model was not trained on; mien's detection and "
    "alignment, the largest face. Area under the ROC: the chance that a smiling photo has a higher score than a "
    "neutral one. On top: a photo in which no face is found counts as wrong. Intervals: 1,000 draws of people."
)
IDENTITY_PROTOCOL = "Genuine pairs: the neutral and the smiling photo of a person."


def on_london(samples: SampleSet, mien: Mien, count: int | None) -> Iterator[Section]:
    """Evaluate both answers on all photos, or on those of some people."""
    samples = some_people(samples, count)
    with progress(len(samples), samples.name) as advance:
        views = Viewer(mien)(samples.samples, advance)
    interval = "95 % interval"
    figures = expression_figures(views, mien.contract.expressions)
    yield Section("Expression: London Set", EXPRESSION_PROTOCOL, interval, figures, views.lines())
    systems = Systems(views, mien.contract.thresholds)
    figures = [
        replace(figure, target=EER_TARGET) if figure.name == f"{MODEL}: EER" else figure for figure in systems.figures()
    ]
    protocol = f"{IDENTITY_PROTOCOL} {PROTOCOL}"
    yield Section("Identity: London Set", protocol, interval, figures, details=systems.details())
    yield Section("Thresholds: London Set", THRESHOLD_PROTOCOL, interval, systems.threshold_figures())


def expression_figures(views: Views, classes: tuple[Expression, ...]) -> list[Figure]:
    """Smiling against neutral: by two scores whatever the threshold, and by the class on top."""
    labels = labels_of(views.samples, classes)
    two = [classes.index(Expression.NEUTRAL), classes.index(Expression.HAPPINESS)]
    neutral, happiness = views.expressions[:, two].astype(np.float64).T
    smiling = labels == two[1]
    n = f"{len(labels)} photos of {views.people.max() + 1} people"
    figures = []
    for name, scores, target in (
        ("area under the ROC, happiness / (happiness + neutral)", happiness / (happiness + neutral), AREA_TARGET),
        ("area under the ROC, happiness", happiness, None),
    ):
        figures.append(_figure(name, area_under_roc(scores, smiling, views.people), "", n, target))
    found = np.array([way is not FoundBy.WHOLE for way in views.ways["mien"]])
    of_two = np.array(two)[views.expressions[:, two].argmax(axis=1)]
    of_all = views.expressions.argmax(axis=1)
    for name, answer, target in (
        ("right one of the two on top", of_two, TOP_TARGET),
        ("right one on top of all classes", of_all, None),
    ):
        right = found & (answer == labels)
        figures.append(_figure(name, _share(right, views.people), "%", n, target))
        for expression, chosen in (("neutral", ~smiling), ("smiling", smiling)):
            share = _share(right[chosen], views.people[chosen])
            figures.append(_figure(f"{name}: {expression}", share, "%", f"{chosen.sum()} photos", None))
    return figures


def _figure(name: str, estimate: Estimate, unit: Unit, n: str, target: Target | None) -> Figure:
    interval = estimate.interval
    return Figure(name, estimate.value, unit, n, interval.low, interval.high, target)


def _share(right: NDArray[np.bool_], people: NDArray[np.int64]) -> Estimate:
    return Estimate(float(right.mean()), mean_over_people(right.astype(np.float64), people))
