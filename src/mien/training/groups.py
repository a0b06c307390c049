"""People divided by a committed list, so that a model can be reported on people that nothing was chosen on."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from mien.datasets import SampleSet
from mien.datasets.tables import read_table
from mien.errors import DataError
from mien.training.sources import GroupsRecipe

_SHOWN = 5


def divide_by_groups(
    samples: SampleSet, groups: GroupsRecipe, report: Callable[[str], None]
) -> tuple[SampleSet, SampleSet | None]:
    """The photos of the people to train on, and of those to validate on; the photos of all others are not read.

    Args:
        samples: the data set.
        groups: what the recipe says about the list.
        report: receives a line about listed people that are not there, where the recipe allows that.

    Raises:
        DataError: the list cannot be read, does not fit the data set, or has nobody in a group that is needed.
    """
    group_of = read_groups(groups.file)
    nameless = next((sample.name for sample in samples.samples if sample.identity is None), None)
    if nameless is not None:
        raise DataError(f"{nameless} of {samples.name} names no person, so {groups.file} cannot place it; label it")
    present = set(samples.people)
    if unlisted := sorted(present - set(group_of)):
        raise DataError(
            f"{groups.file} does not list {_some(unlisted)} of {samples.name}; add them to one of its groups"
        )
    if missing := sorted(set(group_of) - present):
        sentence = f"{groups.file} lists {_some(missing)}, of whom {samples.name} has no photo"
        if groups.complete:
            raise DataError(f"{sentence}; give the whole data set, or set groups.complete to false")
        report(sentence)

    def members(group: str) -> SampleSet:
        found = samples.where(lambda sample: group_of[str(sample.identity)] == group)
        if not found.samples:
            known = ", ".join(sorted(set(group_of.values())))
            raise DataError(
                f"{samples.name} has nobody in the group {group!r} of {groups.file}; its groups are: {known}"
            )
        return found

    return members(groups.train), members(groups.validation) if groups.validation else None


def read_groups(name: str) -> dict[str, str]:
    """The group of each person.

    Args:
        name: path of a table with the columns ``identity`` and ``group``, or the name of one in ``mien.recipes``.

    Raises:
        DataError: there is no such table, or it names a person twice or without a group.
    """
    path = Path(name)
    if not path.is_file():
        path = Path(str(files("mien.recipes") / name))
    group_of: dict[str, str] = {}
    for line, row in read_table(path, ("identity", "group")):
        person, group = row["identity"], row["group"]
        if not person or not group or person in group_of:
            raise DataError(f"{path}:{line} has no person, no group, or a person that was there before; give each once")
        group_of[person] = group
    return group_of


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
