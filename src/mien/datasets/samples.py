"""What every data set is read into: a list of labelled photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
        expression: how they look, or None.
        split: the official part of the data set that it belongs to, or None.
        sequence: the video or image sequence that it is a frame of, or None.
    """

    name: str
    source: Source
    identity: str | None = None
    expression: Expression | None = None
    split: str | None = None
    sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo or a row that could not be used, and why."""

    name: str
    reason: str


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


def make_sample_set(name: str, samples: Iterable[Sample], skipped: Sequence[Skipped] = ()) -> SampleSet:
    """Sort the samples by name and check that there are any.

    Raises:
        DataError: there are no samples.
    """
    ordered = tuple(sorted(samples, key=lambda sample: sample.name))
    if not ordered:
        raise DataError(f"no usable photos were found in data set {name}")
    return SampleSet(name, ordered, tuple(skipped))
