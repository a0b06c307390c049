"""Identity and expression on our part of Labeled Faces in the Wild, on the people of a committed list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from _expression import CALIBRATION, confusion, labels_of, recall_figures, summary_figures
from _guard import people_section
from _identity import PROTOCOL, THRESHOLD_PROTOCOL, Systems
from _photos import some_people
from _report import Section, Target
from _views import Viewer, Views

from mien import Mien
from mien.cli.console import progress
from mien.datasets import SampleSet
from mien.errors import DataError
from mien.evaluation import summarize_expression
from mien.training import Recipe
from mien.training.groups import read_groups
from mien.types import Expression

DATA = "lfw-expressions"
"""What recipes call it."""

GROUPS = "lfw-expressions-groups.csv"

People = Literal["report", "choose", "all"]
WHOM: dict[People, str] = {"report": "report people", "choose": "choose people", "all": "all people"}
"""The groups of `GROUPS`; whether a model was trained or chosen on them, the guard's section says."""

LEAST_PHOTOS = 10
"""Classes with fewer photos are left out of the mean recall: their figures would say nothing."""

TARGETS = {"accuracy": Target(0.88, "at least")}
NOT_LFW = "Grey, tight, re-encoded crops of a part of Labeled Faces in the Wild: not LFW's own protocol."
EXPRESSION_PROTOCOL = (
    "mien's detection and alignment, with the retries above; share of photos whose most probable class is the labelled "
    f"one; labels by volunteers, noisy. Mean recall: of the classes with at least {LEAST_PHOTOS} photos. Calibration "
    f"error: {CALIBRATION}. Intervals: 1,000 draws of people; of recalls Wilson's."
)


def on_lfw_expressions(
    everybody: SampleSet, mien: Mien, count: int | None, people: People, recipe: Recipe | None
) -> Iterator[Section]:
    """Evaluate both answers, and whether the people measured are new to the model."""
    samples = some_people(group_of_people(everybody, people), count)
    with progress(len(samples), samples.name) as advance:
        views = Viewer(mien)(samples.samples, advance)
    systems = Systems(views, mien.contract.thresholds)
    title, interval = f"{DATA}, {WHOM[people]}", "95 % interval"
    protocol = f"{NOT_LFW} {PROTOCOL}"
    yield Section(f"Identity: {title}", protocol, interval, systems.figures(), views.lines(), systems.details())
    yield Section(f"Thresholds: {title}", THRESHOLD_PROTOCOL, interval, systems.threshold_figures())
    yield _expression_section(f"Expression: {title}", views, mien.contract.expressions)
    yield people_section(recipe, DATA, everybody, samples)


def group_of_people(samples: SampleSet, people: People) -> SampleSet:
    """The people of one group of the committed list, or all.

    Raises:
        DataError: the data set has nobody of that group.
    """
    if people == "all":
        return samples
    group = read_groups(GROUPS)
    found = samples.where(lambda sample: group.get(str(sample.identity)) == people)
    if not found.samples:
        raise DataError(f"{samples.name} has nobody of the group {people!r} of {GROUPS}; give the whole data set")
    return found


def _expression_section(title: str, views: Views, classes: tuple[Expression, ...]) -> Section:
    names = [str(name) for name in classes]
    labels = labels_of(views.samples, classes)
    summary = summarize_expression(views.expressions, labels, names, people=views.people, least=LEAST_PHOTOS)
    unknown = sum(s.expression is not None and s.expression not in classes for s in views.samples)
    lines = [f"Photos with a label that the model does not know, not counted: {unknown}.", *confusion(summary)]
    figures = [*summary_figures("volunteers' labels", summary, TARGETS), *recall_figures("volunteers' labels", summary)]
    details: dict[str, object] = {"confusion": summary.confusion.tolist(), "classes": names}
    return Section(title, EXPRESSION_PROTOCOL, "95 % interval", figures, lines, details)
