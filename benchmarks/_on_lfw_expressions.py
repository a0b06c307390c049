"""Identity and expression on our part of Labeled Faces in the Wild, on people that the model was not trained on."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

from _expression import people_figures
from _identity import (
    PROTOCOL,
    difference_figures,
    evaluate_systems,
    fold_details,
    system_figures,
    threshold_figures,
)
from _photos import some_people
from _report import Section
from _views import Viewer

from mien import Mien
from mien.cli.console import progress
from mien.datasets import SampleSet, read_index, split_by_person
from mien.errors import DataError
from mien.training.recipe import load_recipe

SOURCE = "lfw-expressions"
WHOM = {
    "validation": "people kept for validation, not trained on (the shipped recipe's division)",
    "all": "all people, those the model was trained on among them",
}
NOT_LFW = "Grey, tight, re-encoded crops of a part of Labeled Faces in the Wild: not LFW's own protocol."


def on_lfw_expressions(
    folder: Path, mien: Mien, count: int | None, people: Literal["validation", "all"]
) -> list[Section]:
    """Evaluate both answers and choose the verification threshold."""
    samples = read_index(folder)
    samples = some_people(samples if people == "all" else validation_people(samples), count)
    with progress(len(samples), samples.name) as advance:
        views = Viewer(mien)(samples.samples, advance)
    results = evaluate_systems(views)
    identity = [*system_figures(results), *difference_figures(results)]
    expression, lines, details = people_figures(views.expressions, views.samples, mien.contract.expressions)
    protocol = f"{NOT_LFW} {PROTOCOL}"
    interval = "95 % interval"
    title = f"lfw-expressions, {WHOM[people]}"
    return [
        Section(f"Identity: {title}", protocol, interval, identity, views.lines(), fold_details(results)),
        Section(f"Verification threshold: {title}", THRESHOLD_PROTOCOL, interval, threshold_figures(views)),
        Section(f"Expression: {title}", EXPRESSION_PROTOCOL, interval, expression, lines, details),
    ]


THRESHOLD_PROTOCOL = (
    "mien's network on mien's crops; photos in which no face was found left out. Genuine pairs: at most 10 a person; "
    "impostor pairs: all, or a million drawn from all. The largest distance whose FAR is not above 0.001; its "
    "interval: 200 draws of people."
)
EXPRESSION_PROTOCOL = (
    "mien's detection and alignment, with the retries above; share of photos whose most probable class is the labelled "
    "one. Intervals: bootstrap over people."
)


def validation_people(samples: SampleSet) -> SampleSet:
    """The people whom the shipped recipe keeps for validation.

    Raises:
        DataError: the recipe keeps none.
    """
    recipe = load_recipe(Path(str(resources.files("mien") / "recipes" / "mien-r29.yaml")))
    fractions = [source.validation for source in recipe.sources if source.data == SOURCE]
    if not fractions or not fractions[0]:
        raise DataError(f"recipe {recipe.name} keeps no people of {SOURCE} for validation; use --people all")
    return split_by_person(samples, fractions[0], recipe.seed_of_split)[1]
