"""What a recipe trains on and chooses on, against what is measured on."""

from __future__ import annotations

from contextlib import suppress

from _report import Figure, Section, Target

from mien.cli.console import progress
from mien.cli.train import find_recipe
from mien.datasets import SampleSet, digest, split_by_person
from mien.errors import RecipeError
from mien.images import load_image
from mien.shipped import family
from mien.training import Recipe
from mien.training.groups import read_groups

NONE = Target(0, "at most")
PROTOCOL = (
    "By the recipe that the model's id names, or that was given. Trained on: the people whose photos the recipe draws "
    "batches from. Chosen on: those by whom it chooses the epoch, the thresholds and the calibration. Photos that "
    "repeat: pixel for pixel the same as a photo of somebody trained on, as published."
)


def recipe_of(model_id: str, given: str | None) -> Recipe | None:
    """The recipe of a model: the one that is given, or the shipped one of its name, if there is one.

    Raises:
        RecipeError: the one that is given cannot be read.
    """
    if given is not None:
        return find_recipe(given)
    for name in (family(model_id), model_id):
        with suppress(RecipeError):
            return find_recipe(name)
    return None


def people_section(recipe: Recipe | None, data: str, everybody: SampleSet, measured: SampleSet) -> Section:
    """Whether anybody who is measured was trained or chosen on.

    Args:
        recipe: what the model was trained by, if known.
        data: what recipes call the data set.
        everybody: the whole data set.
        measured: the part that is measured.
    """
    title = f"Test-set guard: {data}"
    if recipe is None:
        return Section(title, "No recipe of the model is known; name it with --recipe.", "", [])
    trained, chosen = used_people(recipe, data, everybody)
    people = set(measured.people)
    seen = digests(everybody.where(lambda sample: sample.identity in trained - people))
    repeated = sum(digest(load_image(sample.source)) in seen for sample in measured.samples)
    n = f"{len(people)} people measured"
    figures = [
        Figure("people measured who were trained on", len(people & trained), "count", n, target=NONE),
        Figure("people measured who were chosen on", len(people & chosen), "count", n, target=NONE),
        Figure("photos measured that repeat", repeated, "count", f"{len(measured)} photos measured", target=NONE),
    ]
    lines = [f"Recipe {recipe.name}: {len(trained)} people trained on, {len(chosen)} chosen on."]
    return Section(title, PROTOCOL, "", figures, lines)


def used_people(recipe: Recipe, data: str, samples: SampleSet) -> tuple[set[str], set[str]]:
    """The people of a data set whom a recipe trains on, and those by whom it chooses.

    Raises:
        DataError: the recipe's list of groups cannot be read, or its division leaves a part empty.
    """
    trained: set[str] = set()
    chosen: set[str] = set()
    for source in recipe.sources:
        if source.data != data:
            continue
        if source.groups:
            group_of = read_groups(source.groups.file)
            trained |= {person for person, group in group_of.items() if group == source.groups.train}
            chosen |= {person for person, group in group_of.items() if group == source.groups.validation}
        elif source.validation:
            first, second = split_by_person(samples, source.validation, recipe.seed_of_split)
            trained |= set(first.people)
            chosen |= set(second.people)
        else:
            trained |= set(samples.people)
    return trained, chosen


def public_test_figures(recipe: Recipe | None, repeated: int, photos: int) -> list[Figure]:
    """How many PublicTest photos repeat in Training, and how many of these the recipe trains on."""
    n = f"{photos} photos"
    figures = [Figure("photos that repeat in Training", repeated, "count", n)]
    if recipe is None:
        return figures
    sources = [source for source in recipe.sources if source.data == "fer2013"]
    used = any("public-test" not in source.held_out for source in sources)
    what = "of these, trained on"
    return [*figures, Figure(what, repeated if used else 0, "count", n, target=NONE, note=f"recipe {recipe.name}")]


def digests(samples: SampleSet) -> set[str]:
    """What identifies the pixels of each photo."""
    found = set()
    with progress(len(samples), "looking for repeats") as advance:
        for sample in samples.samples:
            found.add(digest(load_image(sample.source)))
            advance()
    return found
