"""Genuine and impostor pairs from identity labels, in folds that share no person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

Integers = NDArray[np.int64]
Labels = Sequence[str] | Sequence[int] | Sequence[str | None] | Integers


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of photos; both photos of a pair belong to people of one fold.

    Attributes:
        first: ``(P,)`` position of a pair's first photo.
        second: ``(P,)`` position of its second photo.
        same: ``(P,)`` bool, whether the two show one person.
        fold: ``(P,)`` the fold, from 0.
        person_first: ``(P,)`` who is on the first photo, as a position in ``people``.
        person_second: ``(P,)`` who is on the second photo.
        people: all the people, sorted.
    """

    first: Integers
    second: Integers
    same: NDArray[np.bool_]
    fold: Integers
    person_first: Integers
    person_second: Integers
    people: tuple[str | int, ...]

    def __len__(self) -> int:
        return len(self.first)


def encode_people(identities: Labels) -> tuple[Integers, tuple[str | int, ...]]:
    """Number the people in sorted order.

    Returns:
        ``(N,)`` numbers, -1 where unlabelled, and the sorted people.
    """
    labels = [_plain(label) for label in identities]
    people = sorted({label for label in labels if label is not None}, key=lambda label: (isinstance(label, str), label))
    numbers = {person: number for number, person in enumerate(people)}
    return np.array([-1 if label is None else numbers[label] for label in labels], np.int64), tuple(people)


def person_folds(people: int, folds: int = 10) -> Integers:
    """Deal sorted people to folds: contiguous blocks, whose sizes differ by at most one.

    Returns:
        ``(people,)`` fold of each person, from 0.

    >>> person_folds(5, 2).tolist()
    [0, 0, 0, 1, 1]
    """
    if not 1 <= folds <= people:
        raise DataError(f"{people} people cannot be dealt to {folds} folds; ask for between 1 and {people} folds")
    return np.concatenate([np.full(len(block), k) for k, block in enumerate(np.array_split(np.arange(people), folds))])


def make_pairs(
    identities: Labels,
    *,
    folds: int = 10,
    max_genuine: int = 10,
    impostors_per_genuine: float = 10.0,
    seed: int = 0,
) -> Pairs:
    """Make pairs from identity labels, the same for the same labels and seed.

    Genuine pairs: all pairs of a person, or ``max_genuine`` drawn of them, so that a person with hundreds of photos
    does not outweigh all others. Impostor pairs: two different people of one fold drawn evenly, then a photo of each;
    no pair twice. As in LFW's protocol, no person occurs in two folds, so many folds of few people leave few impostor
    pairs: for rates at a small FAR on a small set take ``folds=1``, and folds for the accuracy.

    Args:
        identities: ``(N,)`` a name or number for each photo.
        folds: how many folds.
        max_genuine: at most so many genuine pairs a person.
        impostors_per_genuine: so many impostor pairs for each genuine pair of the fold, as far as there are.
        seed: seed of the draws.

    Raises:
        DataError: a fold has no genuine or no impostor pair, or there are fewer people than folds.
    """
    numbers, people = encode_people(identities)
    fold_of = person_folds(len(people), folds)
    photos = _photos_of(numbers, len(people))
    rng = np.random.default_rng(seed)
    drawn: list[NDArray[np.int64]] = []
    for fold in range(folds):
        members = [photos[person] for person in np.flatnonzero(fold_of == fold)]
        genuine = [_genuine(own, max_genuine, rng) for own in members if len(own) > 1]
        wanted = int(np.ceil(impostors_per_genuine * sum(map(len, genuine))))
        if not genuine or len(members) < 2 or wanted < 1:
            raise DataError(
                f"fold {fold} of {folds} has {len(genuine)} people with two photos and {len(members)} people in all, "
                "too few for genuine and impostor pairs; use fewer folds or more people with two photos"
            )
        drawn += [*genuine, _impostors(members, wanted, rng)]
    first, second = np.concatenate(drawn).T
    return Pairs(
        first=first,
        second=second,
        same=numbers[first] == numbers[second],
        fold=fold_of[numbers[first]],
        person_first=numbers[first],
        person_second=numbers[second],
        people=people,
    )


def genuine_pairs(identities: Labels, *, max_genuine: int = 10, seed: int = 0) -> Integers:
    """Positions of the photos of genuine pairs: all pairs of a person, or ``max_genuine`` drawn of them.

    Args:
        identities: ``(N,)`` a name or number for each photo; unlabelled ones are left out.
        max_genuine: at most so many pairs a person.
        seed: seed of the draws.

    Returns:
        ``(P, 2)``.

    Raises:
        DataError: nobody has two photos.

    >>> genuine_pairs(["a", "b", "a", "a"]).tolist()
    [[0, 2], [0, 3], [2, 3]]
    """
    numbers, people = encode_people(identities)
    rng = np.random.default_rng(seed)
    drawn = [_genuine(own, max_genuine, rng) for own in _photos_of(numbers, len(people)) if len(own) > 1]
    if not drawn:
        raise DataError(f"none of {len(people)} people has two photos, so there is no genuine pair; give more photos")
    return np.concatenate(drawn)


def pair_distances(embeddings: NDArray[np.floating], pairs: Pairs, *, chunk: int = 65536) -> NDArray[np.float64]:
    """Euclidean distance of each pair's embeddings; see `euclidean`."""
    return euclidean(embeddings, pairs.first, pairs.second, chunk=chunk)


def euclidean(
    embeddings: NDArray[np.floating], first: Integers, second: Integers, *, chunk: int = 65536
) -> NDArray[np.float64]:
    """Euclidean distances of embeddings.

    Args:
        embeddings: ``(N, D)``.
        first: ``(P,)`` positions in ``embeddings``.
        second: ``(P,)`` positions of those to compare with.
        chunk: pairs at a time, which bounds the memory.

    Returns:
        ``(P,)``.
    """
    distances = np.empty(len(first), np.float64)
    for start in range(0, len(first), chunk):
        part = slice(start, start + chunk)
        difference = embeddings[first[part]].astype(np.float64) - embeddings[second[part]]
        distances[part] = np.sqrt(np.einsum("pd,pd->p", difference, difference))
    return distances


def _plain(label: str | int | None) -> str | int | None:
    if label is None or isinstance(label, str):
        return label or None
    return None if int(label) == -1 else int(label)


def _photos_of(numbers: Integers, people: int) -> list[Integers]:
    """The positions of each person's photos."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.searchsorted(numbers[order], np.arange(people)))[1:]


def _genuine(own: Integers, limit: int, rng: np.random.Generator) -> NDArray[np.int64]:
    rows, columns = np.triu_indices(len(own), k=1)
    if len(rows) > limit:
        chosen = np.sort(rng.choice(len(rows), size=limit, replace=False))
        rows, columns = rows[chosen], columns[chosen]
    return np.stack([own[rows], own[columns]], axis=1)


def _impostors(members: list[Integers], wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    sizes = np.array([len(own) for own in members])
    photos = np.concatenate(members)
    starts = np.cumsum(sizes) - sizes
    total = len(photos)
    available = (total**2 - int((sizes**2).sum())) // 2
    codes = np.empty(0, np.int64)
    if wanted < available // 2:
        for _ in range(50):  # enough unless nearly all pairs are between few people
            a = rng.integers(0, len(members), size=wanted)
            b = (a + rng.integers(1, len(members), size=wanted)) % len(members)
            i, j = (starts[k] + rng.integers(0, sizes[k]) for k in (a, b))
            fresh = np.minimum(i, j) * total + np.maximum(i, j)
            joined = np.concatenate([codes, fresh])
            codes = joined[np.sort(np.unique(joined, return_index=True)[1])][:wanted]
            if len(codes) == wanted:
                break
    if len(codes) < wanted:
        owner = np.repeat(np.arange(len(members)), sizes)
        rows, columns = np.triu_indices(total, k=1)
        different = owner[rows] != owner[columns]
        rest = np.setdiff1d(rows[different] * total + columns[different], codes)
        missing = min(wanted - len(codes), len(rest))
        codes = np.concatenate([codes, np.sort(rng.choice(rest, size=missing, replace=False))])
    return np.stack([photos[codes // total], photos[codes % total]], axis=1)
