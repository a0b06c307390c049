"""Dividing a data set: by people, and never with the same photo on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mien.datasets.samples import Sample, SampleSet
from mien.errors import DataError


def split_by_person(samples: SampleSet, fraction: float, seed: int) -> tuple[SampleSet, SampleSet]:
    """Divide a data set so that no person is on both sides.

    A person goes to the second part when a hash of seed and name falls below ``fraction``; so a person stays on their
    side when others are added. Where the identity is not known, frames of one sequence count as a person, and any other
    photo as a person of its own.

    Args:
        samples: the data set.
        fraction: expected share of the people in the second part, in [0, 1].
        seed: another seed draws other people.

    Raises:
        DataError: a part would be empty.
    """

    def chosen(sample: Sample) -> bool:
        person = sample.identity or (f"sequence {sample.sequence}" if sample.sequence else f"photo {sample.name}")
        digest = hashlib.sha256(f"{seed}:{person}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < fraction * 2**64

    second = samples.where(chosen)
    first = samples.where(lambda sample: not chosen(sample))
    if not first.samples or not second.samples:
        raise DataError(
            f"data set {samples.name} with {len(samples.people)} people cannot be divided by {fraction:g}; "
            "give another fraction or more people"
        )
    return first, second


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which photos of a training set to keep.

    Attributes:
        keep: positions to keep, ascending.
        held_out: how many were dropped because the evaluation holds them.
        repeated: how many were dropped as repeats of a kept photo.
        conflicting: how many were dropped because the same photo has several labels.
    """

    keep: list[int]
    held_out: int
    repeated: int
    conflicting: int


def drop_repeats(digests: Sequence[str], labels: Sequence[Hashable], held_out: Iterable[str]) -> Repeats:
    """Find the photos to train on: none that the evaluation holds, none twice, none with conflicting labels.

    Args:
        digests: what identifies each photo's pixels (`mien.datasets.pixels.digest`).
        labels: each photo's label.
        held_out: digests of the photos that are evaluated on.

    >>> drop_repeats(["a", "b", "b", "c", "c", "d"], [1, 1, 1, 0, 1, 0], held_out=["a"])
    Repeats(keep=[1, 5], held_out=1, repeated=1, conflicting=2)
    """
    evaluated = set(held_out)
    labels_of = defaultdict[str, set[Hashable]](set)
    for digest, label in zip(digests, labels, strict=True):
        labels_of[digest].add(label)
    keep: list[int] = []
    seen: set[str] = set()
    dropped = Counter[str]()
    for position, digest in enumerate(digests):
        if digest in evaluated:
            dropped["held out"] += 1
        elif len(labels_of[digest]) > 1:
            dropped["conflicting"] += 1
        elif digest in seen:
            dropped["repeated"] += 1
        else:
            keep.append(position)
        seen.add(digest)
    return Repeats(keep, dropped["held out"], dropped["repeated"], dropped["conflicting"])


def random_order(count: int, *key: int) -> list[int]:
    """A permutation of ``range(count)`` that depends on the key (seed, epoch ...) alone."""
    return [int(position) for position in np.random.default_rng(key).permutation(count)]
