"""From a recipe's sources to decoded photos for training and validation, with nothing on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mien.datasets import READERS, UNLABELLED, FacePixels, SampleSet, decode, drop_repeats, split_by_person
from mien.errors import DataError
from mien.training.blendshapes import BLENDSHAPES, read_blendshapes
from mien.training.groups import divide_by_groups
from mien.training.recipe import Recipe
from mien.training.sources import SourceRecipe
from mien.types import Expression


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One data set of a run.

    Attributes:
        recipe: what the recipe says about it.
        train: photos to train on.
        validation: photos to choose by, or None.
        blendshapes: those of the photos to train on, see `read_blendshapes`; None where the recipe has no use for them.
    """

    recipe: SourceRecipe
    train: FacePixels
    validation: FacePixels | None
    blendshapes: Tensor | None = None

    def to(self, device: torch.device) -> Source:
        """The same photos and labels on a device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device) if self.validation else None,
            blendshapes=None if self.blendshapes is None else self.blendshapes.to(device),
        )


def load_sources(recipe: Recipe, folders: Mapping[str, Path], report: Callable[[str], None]) -> list[Source]:
    """Read, divide and decode all sources of a recipe.

    Args:
        recipe: the recipe.
        folders: where each data set lies, by name.
        report: receives one line a data set, and one for each photo that was skipped.

    Raises:
        DataError: a folder is missing or is not what its layout says.
    """
    missing = sorted({source.data for source in recipe.sources} - set(folders))
    if missing:
        raise DataError(f"recipe {recipe.name} needs the data set {missing[0]}; give --data {missing[0]}=FOLDER")
    for name in sorted(set(folders) - {source.data for source in recipe.sources}):
        report(f"{name} is no data set of the recipe {recipe.name}, and is not read")
    classes = recipe.tasks.expression.classes if recipe.tasks.expression else ()
    sources = [_load(source, folders[source.data], classes, recipe, report) for source in recipe.sources]
    _check_labels(classes, sources, report)
    return sources


def _check_labels(classes: tuple[Expression, ...], sources: list[Source], report: Callable[[str], None]) -> None:
    """Refuse an expression task that nothing teaches, and tell of classes that nothing does."""
    labels = {label for source in sources for label in source.train.expression.tolist()}
    untaught = [str(expression) for number, expression in enumerate(classes) if number not in labels]
    if classes and len(untaught) == len(classes):
        raise DataError(f"no photo to train on is labelled {', '.join(untaught)}; change the classes, or the data")
    if untaught:
        report(f"warning: no photo to train on is labelled {', '.join(untaught)}; what the model says of it is noise")


def _load(
    source: SourceRecipe,
    folder: Path,
    classes: tuple[Expression, ...],
    recipe: Recipe,
    report: Callable[[str], None],
) -> Source:
    report(f"reading {source.data} from {folder}")
    everything = READERS[source.layout](folder)
    samples, held_back = _divide(source, everything, recipe, report)
    train = decode(samples, classes, recipe.crop_size)
    held_out: list[str] = []
    for part in source.held_out:
        held_out += decode(everything.seen_in(part), classes, recipe.crop_size).digests
    validation = None
    if held_back:
        validation = decode(held_back, classes, recipe.crop_size)
        validation = validation.take(drop_repeats(validation.digests, _labels(validation), held_out).keep)
        held_out += validation.digests
    repeats = drop_repeats(train.digests, _labels(train), held_out)
    kept = _only(train.take(repeats.keep), source)
    report(
        f"{source.data}: {len(kept)} photos to train on, {len(validation) if validation else 0} to validate on; "
        f"dropped {repeats.held_out} that are held out elsewhere, {repeats.repeated} repeats, "
        f"{repeats.conflicting} with conflicting labels, {len(train.skipped)} that cannot be used"
    )
    for skipped in train.skipped:
        report(f"{source.data}: skipped {skipped.name}: {skipped.reason}")
    return Source(source, kept, validation, _blendshapes(source, folder, kept, recipe))


def _blendshapes(source: SourceRecipe, folder: Path, photos: FacePixels, recipe: Recipe) -> Tensor | None:
    if not (recipe.tasks.expression and recipe.tasks.expression.blendshapes):
        return None
    if source.blendshapes is None:
        return torch.full((len(photos), BLENDSHAPES), torch.nan)
    inside = (folder if folder.is_dir() else folder.parent) / source.blendshapes
    return read_blendshapes(inside if inside.is_file() else Path(source.blendshapes), photos.names)


def _divide(
    source: SourceRecipe, everything: SampleSet, recipe: Recipe, report: Callable[[str], None]
) -> tuple[SampleSet, SampleSet | None]:
    samples = everything.split(source.part) if source.part else everything
    if source.groups:
        return divide_by_groups(samples, source.groups, report)
    if source.validation:
        return split_by_person(samples, source.validation, recipe.seed_of_split)
    return samples, None


def _labels(photos: FacePixels) -> list[tuple[int, int]]:
    return list(zip(photos.identity.tolist(), photos.expression.tolist(), strict=True))


def _only(pixels: FacePixels, source: SourceRecipe) -> FacePixels:
    """Forget the labels that the source is not to teach."""
    if "identity" not in source.learn:
        pixels.identity.fill_(UNLABELLED)
    if "expression" not in source.learn:
        pixels.shares.zero_()
    return pixels
