"""Counting a data set against its official figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mien.datasets.engine import read_layout
from mien.datasets.layout import Layout
from mien.datasets.pairs import pair_key
from mien.datasets.samples import SampleSet
from mien.errors import DataError, ImageError
from mien.images import load_image


@dataclass(frozen=True, slots=True)
class Figure:
    """One count.

    Attributes:
        what: what was counted.
        found: how many there are.
        official: how many there should be; None where no figure is known.
    """

    what: str
    found: int
    official: int | None

    @property
    def as_official(self) -> bool:
        """Whether nothing is known to differ."""
        return self.official is None or self.found == self.official


@dataclass(frozen=True, slots=True)
class Check:
    """What a folder holds of a data set.

    Attributes:
        layout: the set's record.
        figures: the counts, photos first.
        missing: what is missing or damaged, a sentence each.
        samples: the photos that are there; what was not used is named in their ``skipped``.
    """

    layout: Layout
    figures: tuple[Figure, ...]
    missing: tuple[str, ...]
    samples: SampleSet

    @property
    def complete(self) -> bool:
        """Whether all counts are the official ones and nothing is missing."""
        return not self.missing and all(figure.as_official for figure in self.figures)


def check_layout(layout: Layout, root: Path) -> Check:
    """Count a data set's photos, people and classes.

    Args:
        layout: the set's record.
        root: the folder that it was unpacked to.

    Raises:
        DataError: the folder is not what the layout says.
    """
    everything = read_layout(layout, root)
    there = everything.where(lambda sample: not isinstance(sample.source, Path) or sample.source.is_file())
    missing = [*_absent_files(everything, there), *_absent_people(layout, there)]
    figures = _figures(layout, there)
    if layout.pairs:
        figures.append(_pairs(layout, root, there, missing))
    return Check(layout, tuple(figures), tuple(missing), there)


def check_photos(check: Check, looked_at: Callable[[], None]) -> Check:
    """Decode every photo too; the damaged ones are added to what is missing.

    Args:
        check: the counts.
        looked_at: called after each photo.
    """
    damaged = []
    for sample in check.samples.samples:
        try:
            load_image(sample.source, name=sample.name)
        except ImageError:
            damaged.append(sample.name)
        looked_at()
    found = (f"{len(damaged)} photos are damaged: {_some(damaged)}",) if damaged else ()
    return replace(check, missing=check.missing + found)


def _figures(layout: Layout, samples: SampleSet) -> list[Figure]:
    official = layout.official
    figures = [Figure("photos", len(samples), official.images)]
    if layout.subjects:
        figures.append(Figure("people", len(samples.people), official.people))
    sequences = {sample.sequence for sample in samples.samples if sample.sequence}
    if sequences or official.sequences:
        figures.append(Figure("sequences", len(sequences), official.sequences))
    expressions = Counter(sample.expression for sample in samples.samples)
    figures += [Figure(name.value, expressions[name], official.expressions.get(name)) for name in layout.classes]
    parts = Counter(sample.split for sample in samples.samples if sample.split)
    figures += [
        Figure(f"part {part}", parts[part], official.parts.get(part))
        for part in dict.fromkeys((*official.parts, *parts))
    ]
    return figures


def _pairs(layout: Layout, root: Path, samples: SampleSet, missing: list[str]) -> Figure:
    """The official pairs of which both sides are there."""
    try:
        pairs = layout.pairs(root) if layout.pairs else ()
    except DataError as error:  # without the whole tree that `read_pairs` shows
        missing.append(f"the official pairs: {error}")
        return Figure("pairs", 0, layout.official.pairs)
    keys = {pair_key(sample) for sample in samples.samples}
    whole = [pair for pair in pairs if pair.first in keys and pair.second in keys]
    return Figure("pairs", len(whole), layout.official.pairs)


def _absent_files(everything: SampleSet, there: SampleSet) -> list[str]:
    kept = {sample.name for sample in there.samples}
    absent = [sample.name for sample in everything.samples if sample.name not in kept]
    return [f"{len(absent)} files that the tables name: {_some(absent)}"] if absent else []


def _absent_people(layout: Layout, samples: SampleSet) -> list[str]:
    found = set(samples.people)
    absent = [name for name in layout.official.names if name not in found]
    return [f"{len(absent)} people: {_some(absent)}"] if absent else []


def _some(names: list[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
