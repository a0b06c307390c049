"""Genuine and impostor trials of a calibration: of pairs of photos, and of photos against a gallery of all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation import Pairs, make_pairs, pair_distances

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

MAX_GENUINE = 10
"""Genuine pairs a person, so that somebody with hundreds of photos does not outweigh all others."""

IMPOSTOR_PAIRS = 100_000
"""Impostor pairs that are drawn at most, unless a small FAR needs more."""

IMPOSTORS_PER_FAR = 100
"""For a FAR of f, IMPOSTORS_PER_FAR / f impostor pairs are drawn if there are so many: then a hundred are accepted
falsely, and the FAR is known to about a fifth of itself."""

ALWAYS_MISSED = 1e9
"""Stands for a distance, of a genuine trial that fails at any threshold because a stranger is nearer."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Comparisons whose right answer is known.

    Attributes:
        distances: ``(T,)``.
        same: ``(T,)`` whether the trial is genuine.
        first: ``(T,)`` the person, as a number below ``people``.
        second: ``(T,)`` the other person of an impostor pair; -1 where only one person is drawn in a bootstrap.
        people: how many people there are.
    """

    distances: Floats
    same: Booleans
    first: Integers
    second: Integers
    people: int

    def weights(self, drawn: Integers) -> Floats:
        """How often each trial occurs when each person does ``drawn (people,)`` times."""
        first = drawn[self.first]
        return np.where(self.second < 0, first, first * drawn[self.second]).astype(np.float64)


def draw_pairs(identities: Sequence[str], far: float, seed: int) -> Pairs:
    """Genuine pairs, and as many impostor pairs as a FAR needs, of all people in one fold.

    Raises:
        DataError: there are too few people, or nobody has two photos.
    """
    counts = np.unique(np.asarray(identities), return_counts=True)[1]
    genuine = int(np.minimum(counts * (counts - 1) // 2, MAX_GENUINE).sum())
    wanted = max(IMPOSTOR_PAIRS, IMPOSTORS_PER_FAR / far)
    if not genuine or len(counts) < 2:
        raise DataError(
            f"{len(counts)} people with {genuine} genuine pairs cannot be calibrated on; give at least two people, and "
            "two photos of one of them"
        )
    return make_pairs(identities, folds=1, max_genuine=MAX_GENUINE, impostors_per_genuine=wanted / genuine, seed=seed)


def verification_trials(embeddings: NDArray[np.floating], pairs: Pairs) -> Trials:
    """Two photos against each other."""
    second = np.where(pairs.same, -1, pairs.person_second)
    return Trials(pair_distances(embeddings, pairs), pairs.same, pairs.person_first, second, len(pairs.people))


def identification_trials(embeddings: NDArray[np.floating], person: Integers) -> Trials:
    """Each photo against a gallery of all the others.

    Impostor: the nearest photo of all other people, as if the photo's own person was not enrolled. Genuine, for people
    with several photos: the nearest other photo of the same person, or `ALWAYS_MISSED` when a stranger's is nearer.
    The bootstrap draws the people of the probes; the gallery stays as it is.

    Args:
        embeddings: ``(N, D)``.
        person: ``(N,)`` numbers of the people.
    """
    own, other = _nearest(np.asarray(embeddings, np.float64), person)
    genuine = np.isfinite(own)
    reached = np.where(own < other, own, ALWAYS_MISSED)[genuine]
    return Trials(
        distances=np.concatenate([reached, other]),
        same=np.repeat([True, False], [len(reached), len(other)]),
        first=np.concatenate([person[genuine], person]),
        second=np.full(len(reached) + len(other), -1),
        people=int(person.max()) + 1,
    )


def _nearest(vectors: Floats, person: Integers, block: int = 512) -> tuple[Floats, Floats]:
    """Distance to the nearest photo of the same person (infinite when there is none), and of anybody else."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    own, other = np.empty(len(vectors)), np.empty(len(vectors))
    for start in range(0, len(vectors), block):
        rows = np.arange(start, min(start + block, len(vectors)))
        squared = squares[rows, None] + squares - 2 * vectors[rows] @ vectors.T
        distances = np.sqrt(np.maximum(squared, 0))
        same = person[rows, None] == person
        other[rows] = np.where(same, np.inf, distances).min(axis=1)
        same[np.arange(len(rows)), rows] = False
        own[rows] = np.where(same, distances, np.inf).min(axis=1)
    return own, other
