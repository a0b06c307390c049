"""Taking a part of a data set for a quick trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # mien.datasets needs torch, and photos for timing do not
    from mien.datasets import SampleSet

Item = TypeVar("Item")


def evenly(items: Sequence[Item], count: int | None) -> list[Item]:
    """At most ``count`` items, evenly spaced; all when it is None.

    >>> evenly("abcdefg", 3)
    ['a', 'c', 'e']
    """
    if count is None or count >= len(items):
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]


def some_photos(samples: SampleSet, count: int | None) -> SampleSet:
    """At most ``count`` photos, evenly spaced."""
    return replace(samples, samples=tuple(evenly(samples.samples, count)))


def some_people(samples: SampleSet, count: int | None) -> SampleSet:
    """About ``count`` photos: all those of people, evenly spaced, who have at least two, so that pairs remain."""
    if count is None or count >= len(samples):
        return samples
    photos = Counter(sample.identity for sample in samples.samples)
    people = [person for person in samples.people if photos[person] > 1]
    total = sum(photos[person] for person in people)
    chosen = set(evenly(people, max(1, count * len(people) // max(1, total))))
    return samples.where(lambda sample: sample.identity in chosen)
