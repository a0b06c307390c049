"""Official lists of verification pairs: LFW's and YouTube Faces' text files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from mien.datasets.samples import Sample, SampleSet
from mien.errors import DataError
from mien.evaluation.pairs import Pairs, encode_people


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos or videos to compare.

    Attributes:
        first: names the first by its `pair_key`.
        second: names the second.
        same: whether the two show one person.
        fold: the official fold, from 0.
    """

    first: str
    second: str
    same: bool
    fold: int


def pair_key(sample: Sample) -> str:
    """How pair lists name a sample: its video, or else its file without folder and suffix.

    >>> pair_key(Sample("lfw/Ann/Ann_0001.jpg", b""))
    'Ann_0001'
    """
    return sample.sequence or PurePosixPath(sample.name).stem


def numbered_pairs(pairs: Sequence[Pair], samples: SampleSet) -> Pairs:
    """Pairs of photos as positions in ``samples``, for `mien.evaluation.evaluate_distances`.

    People who are not known by name, as in the archives of encoded pairs, are taken to be others in every pair, so that
    intervals over people become intervals over pairs.

    Raises:
        DataError: a photo of a pair is not among the samples, or the pairs are of videos.
    """
    positions = {pair_key(sample): position for position, sample in enumerate(samples.samples)}
    if len(positions) < len(samples):
        raise DataError(
            f"data set {samples.name} has {len(samples)} photos under {len(positions)} names; its pairs are of videos, "
            "or it holds copies: compare videos by all their frames, or read one copy"
        )
    absent = sorted({key for pair in pairs for key in (pair.first, pair.second)} - positions.keys())
    if absent:
        raise DataError(
            f"data set {samples.name} lacks {len(absent)} photos of the official pairs, {absent[0]} among them; "
            "unpack all of it"
        )
    first = np.array([positions[pair.first] for pair in pairs], np.int64)
    second = np.array([positions[pair.second] for pair in pairs], np.int64)
    named = [samples.samples[position].identity for position in (*first, *second)]
    own = [f"pair {number}" for number in range(len(pairs))]
    other = [mine if pair.same else f"{mine}, second" for mine, pair in zip(own, pairs, strict=True)]
    numbers, people = encode_people([name or unknown for name, unknown in zip(named, own + other, strict=True)])
    return Pairs(
        first=first,
        second=second,
        same=np.array([pair.same for pair in pairs], np.bool_),
        fold=np.array([pair.fold for pair in pairs], np.int64),
        person_first=numbers[: len(pairs)],
        person_second=numbers[len(pairs) :],
        people=people,
    )


def read_lfw_pairs(path: Path) -> tuple[Pair, ...]:
    """Read ``pairs.txt`` of LFW: 10 folds of 300 genuine and 300 impostor pairs; or ``pairsDevTest.txt``, of one fold.

    The first line holds the number of folds, if there are several, and of genuine pairs a fold. Lines are
    ``name number number`` for one person and ``name number name number`` for two.

    Raises:
        DataError: the file is not of this form.
    """
    lines = _lines(path)
    try:
        *folds, genuine = (int(word) for word in lines[0].split())
        pairs = [_lfw_pair(line.split("\t") if "\t" in line else line.split()) for line in lines[1:]]
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is no list of LFW's pairs ({error})") from error
    expected = [same for _ in range(folds[0] if folds else 1) for same in (True, False) for _ in range(genuine)]
    if [same for *_, same in pairs] != expected:
        raise DataError(
            f"{path} has {len(pairs)} pairs, which are not {genuine} genuine and {genuine} impostor pairs a fold"
        )
    return tuple(Pair(*pair, fold=number // (2 * genuine)) for number, pair in enumerate(pairs))


def read_ytf_splits(path: Path) -> tuple[Pair, ...]:
    """Read ``splits.txt`` of YouTube Faces: a header, then ``fold, number, name/video, name/video, same`` from fold 1.

    Raises:
        DataError: the file is not of this form.
    """
    pairs = []
    for line in _lines(path)[1:]:
        words = [word.strip() for word in line.split(",")]
        if len(words) != 5 or not words[0].isdecimal() or words[0] == "0" or words[4] not in ("0", "1"):
            raise DataError(f"{path} is no list of YouTube Faces' pairs: it has the line {line!r}")
        pairs.append(Pair(words[2], words[3], words[4] == "1", int(words[0]) - 1))
    if not pairs:
        raise DataError(f"{path} holds no pairs")
    return tuple(pairs)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error


def _lfw_pair(words: Sequence[str]) -> tuple[str, str, bool]:
    if len(words) == 3:
        words = [*words[:2], words[0], words[2]]
    name, number, other, other_number = words
    return f"{name}_{int(number):04d}", f"{other}_{int(other_number):04d}", name == other
