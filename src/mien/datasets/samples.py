"""What every data set is read into: a list of labelled photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from mien.errors import DataError
from mien.images import Pixels
from mien.types import Expression

UNLABELLED = -1
"""The number that stands for a missing label, everywhere."""

Source: TypeAlias = "Path | Pixels | bytes"
"""Where a photo's pixels are: in a file, in an array ``uint8 (H, W, 3)``, or in an encoded file's bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One photo and what is known of it.

    Attributes:
        name: tells the photo in messages and reports: its path inside the data set, or a row of a table.
        source: where its pixels are: a file, the bytes of one, or the pixels themselves, ``uint8 (H, W, 3)``.
        identity: who it shows, or None.
        expression: how they look, or None; where people voted, what most of them said, or None for a tie.
        shares: the share of the votes that each expression has, summing to 1, where several people were asked; None
            where ``expression`` says everything.
        split: the official part of the data set that it belongs to, or None.
        sequence: the video or image sequence that it is a frame of, or None.
    """

    name: str
    source: Source
    identity: str | None = None
    expression: Expression | None = None
    split: str | None = None
    sequence: str | None = None
    shares: Mapping[Expression, float] | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo or a row that could not be used, and why.

    Attributes:
        name: as a sample's.
        reason: a clause.
        source: where its pixels are, if it is a photo that can be seen but has no use.
        split: the official part of the data set that such a photo belongs to, or None.
    """

    name: str
    reason: str
    source: Source | None = field(default=None, compare=False)
    split: str | None = None


@dataclass(frozen=True, slots=True)
class SampleSet:
    """A data set, or a part of one.

    Attributes:
        name: of the data set.
        samples: sorted by name, so that nothing depends on the order of a folder.
        skipped: what could not be used.
    """

    name: str
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def people(self) -> list[str]:
        """The identities, sorted."""
        return sorted({sample.identity for sample in self.samples if sample.identity is not None})

    def where(self, keep: Callable[[Sample], bool]) -> SampleSet:
        """The samples that ``keep`` says yes to."""
        return replace(self, samples=tuple(sample for sample in self.samples if keep(sample)))

    def split(self, name: str) -> SampleSet:
        """The samples of one official part.

        Raises:
            DataError: there are none.
        """
        part = self.where(lambda sample: sample.split == name)
        if not part.samples:
            known = ", ".join(sorted({str(sample.split) for sample in self.samples}))
            raise DataError(f"data set {self.name} has no part named {name!r}; it has: {known}")
        return part

    def seen_in(self, name: str) -> SampleSet:
        """Every photo of an official part that can be seen, also those that were left out: what may repeat elsewhere.

        Raises:
            DataError: there are no samples in that part.
        """
        left_out = [Sample(s.name, s.source) for s in self.skipped if s.source is not None and s.split == name]
        return replace(self, samples=(*self.split(name).samples, *left_out), skipped=())


def make_sample_set(name: str, samples: Iterable[Sample], skipped: Sequence[Skipped] = ()) -> SampleSet:
    """Sort the samples by name and check that there are any.

    Raises:
        DataError: there are no samples.
    """
    ordered = tuple(sorted(samples, key=lambda sample: sample.name))
    if not ordered:
        raise DataError(f"no usable photos were found in data set {name}")
    return SampleSet(name, ordered, tuple(skipped))
