"""Which photos of a data set a table takes, and what is left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from mien.datasets import Sample, SampleSet
from mien.errors import DataError
from mien.evaluation import spread_frames
from mien.reproduction.table import Source
from mien.types import Expression


@dataclass(frozen=True, slots=True)
class Selection:
    """The photos that are taken.

    Attributes:
        samples: the photos.
        classes: the expressions to tell apart.
        left_out: what was left out and why, a sentence each.
    """

    samples: SampleSet
    classes: tuple[Expression, ...]
    left_out: tuple[str, ...]


def select(source: Source, samples: SampleSet) -> Selection:
    """Apply a table's rules to a data set.

    Raises:
        DataError: nothing is left.
    """
    left_out: list[str] = []
    chosen = frames_of(source, samples)
    chosen = _keep(chosen, [s for s in chosen.samples if s.identity], "photos of nobody known", left_out)
    classes = source.classes
    while True:  # a person may lose photos with a class, and a class with a person
        before = len(chosen)
        chosen = _enough_of_a_person(source, chosen, left_out)
        counts = Counter(s.expression for s in chosen.samples if s.expression)
        if not source.classes:
            classes = tuple(e for e in Expression if counts[e] >= max(1, source.class_photos))
            chosen = _classes_only(source, chosen, classes, counts, left_out)
        if len(chosen) == before:
            break
    chosen = _not_too_many(source, chosen, left_out)
    if not chosen.samples:
        raise DataError(f"none of the {len(samples)} photos of {source.title} can be used: {'; '.join(left_out)}")
    return Selection(chosen, classes, tuple(left_out))


def frames_of(source: Source, samples: SampleSet) -> SampleSet:
    """The official part that a table takes, and some frames of each video: what need be aligned.

    Raises:
        DataError: the data set has no such part.
    """
    chosen = samples.split(source.part) if source.part else samples
    if not source.frames:
        return chosen
    own = defaultdict[str, list[Sample]](list)
    for sample in chosen.samples:
        own[sample.sequence or sample.name].append(sample)
    kept = {frames[i].name for frames in own.values() for i in spread_frames(len(frames), source.frames)}
    return chosen.where(lambda sample: sample.name in kept)


def _keep(samples: SampleSet, kept: list[Sample], what: str, left_out: list[str]) -> SampleSet:
    lost = len(samples) - len(kept)
    if lost:
        left_out.append(f"{lost} {what if lost > 1 else what.replace('photos', 'photo', 1)}")
    names = {sample.name for sample in kept}
    return samples.where(lambda sample: sample.name in names) if lost else samples


def _enough_of_a_person(source: Source, samples: SampleSet, left_out: list[str]) -> SampleSet:
    own = defaultdict[str, list[Sample]](list)
    for sample in samples.samples:
        own[sample.identity or ""].append(sample)
    kept = [
        sample
        for photos in own.values()
        if len(photos) >= source.person_photos
        and len({photo.expression for photo in photos}) >= source.person_expressions
        for sample in photos
    ]
    rule = f"fewer than {source.person_photos} photos or {source.person_expressions} expressions"
    return _keep(samples, kept, f"photos of people with {rule}", left_out)


def _classes_only(
    source: Source,
    samples: SampleSet,
    classes: tuple[Expression, ...],
    counts: Counter[Expression],
    left_out: list[str],
) -> SampleSet:
    if not source.class_photos:
        return samples
    rare = [f"{e} ({counts[e]})" for e in Expression if counts[e] and e not in classes]
    kept = [sample for sample in samples.samples if sample.expression in classes]
    what = f"photos of classes with fewer than {source.class_photos}: {', '.join(rare)}"
    return _keep(samples, kept, what, left_out)


def _not_too_many(source: Source, samples: SampleSet, left_out: list[str]) -> SampleSet:
    if not source.most_photos:
        return samples
    own = defaultdict[str, list[Sample]](list)
    for sample in samples.samples:
        own[sample.identity or ""].append(sample)
    kept = [photos[i] for photos in own.values() for i in spread_frames(len(photos), source.most_photos)]
    return _keep(samples, kept, f"photos beyond {source.most_photos} of a person", left_out)
