"""Verification on all impostor pairs: the true acceptance rate at small FARs, as far as the pairs carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.impostors import LEAST_ACCEPTED, Tail, nearest_impostors
from mien.evaluation.intervals import Estimate, Interval, bootstrap_people, percentile_interval
from mien.evaluation.pairs import Labels, encode_people, euclidean, genuine_pairs
from mien.evaluation.roc import Roc, SortedPairs
from mien.evaluation.verification import OperatingPoint

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST_SHARE = 0.1  # of the impostor pairs that are kept
_LEAST_KEPT = 100_000  # of them; so the pairs of a small set are all kept


@dataclass(frozen=True, slots=True, eq=False)
class AllPairsResult:
    """How well identities were verified, on all impostor pairs.

    Attributes:
        points: TAR at each FAR that was asked for, but for those that accept fewer than `LEAST_ACCEPTED` pairs.
        eer: equal error rate.
        eer_interval: its interval over people, at 95 %; None when not asked for.
        people: how many people there are.
        genuine: how many genuine pairs.
        impostors: how many impostor pairs.
        replicates: ``(R, 1 + len(points))`` bootstrap replicates of the EER and the TARs; R may be 0.
    """

    points: tuple[OperatingPoint, ...]
    eer: float
    eer_interval: Interval | None
    people: int
    genuine: int
    impostors: int
    replicates: Floats


class AllPairs:
    """The genuine pairs of photos of known people, and all their impostor pairs.

    Only the closest impostor pairs are kept, as all rates at small FARs follow from them and the number of the others;
    at least a tenth of all, so many that the equal error rate lies well among them.

    Args:
        embeddings: ``(N, D)``, compared by Euclidean distance.
        identities: ``(N,)`` who is on each photo; unlabelled ones are left out.
        max_genuine: at most so many genuine pairs per person.
        reach: the largest distance at which rates will be asked for.
        seed: seed of the genuine pairs.

    Attributes:
        genuine: ``(G,)`` distances of the genuine pairs.
        impostors: the closest impostor pairs, and the number of all.

    Raises:
        DataError: the arrays do not fit, nobody has two photos, or there is only one person.
    """

    def __init__(
        self,
        embeddings: NDArray[np.floating],
        identities: Labels,
        *,
        max_genuine: int = 10,
        reach: float = 0.0,
        seed: int = 0,
    ) -> None:
        person, people = encode_people(identities)
        if np.ndim(embeddings) != 2 or len(embeddings) != len(person):
            raise DataError(
                f"embeddings {np.shape(embeddings)} do not fit {len(person)} identities; give (N, D) for N photos"
            )
        if len(people) < 2:
            raise DataError(f"impostor pairs need at least two people, not {len(people)}; give photos of more people")
        vectors, person = np.asarray(embeddings, np.float64)[person >= 0], person[person >= 0]
        first, second = genuine_pairs(person, max_genuine=max_genuine, seed=seed).T
        self.genuine = euclidean(vectors, first, second)
        self.impostors = _closest(vectors, person, self.genuine, reach)
        self._genuine_person = person[first]
        beyond = max(self.genuine.max(), self.impostors.distances[-1]) + 1.0
        distances = np.concatenate([self.genuine, self.impostors.distances, [beyond]])
        self._ordered = SortedPairs(distances, np.arange(len(distances)) < len(self.genuine))

    def evaluate(
        self, fars: Sequence[float] = (1e-2, 1e-3, 1e-4), *, bootstrap: int = 1000, seed: int = 0
    ) -> AllPairsResult:
        """Equal error rate, and TAR at each FAR.

        Args:
            fars: false acceptance rates, at most 0.05; those that accept fewer than `LEAST_ACCEPTED` pairs are left
                out.
            bootstrap: how often to draw people for the intervals; 0 for none.
            seed: seed of the draws.
        """
        total = self.impostors.pairs()
        carried = [far for far in fars if far * total >= LEAST_ACCEPTED]
        roc = self._roc()

        def figures(drawn: Integers) -> Floats:
            try:
                found = self._roc(drawn)
            except DataError:  # no pair is left
                return np.full(1 + len(carried), np.nan)
            return np.array([found.eer, *(found.tar[found.at_far(far)] for far in carried)])

        replicates = (
            bootstrap_people(figures, len(self.impostors.sizes), replicates=bootstrap, seed=seed)
            if bootstrap
            else np.empty((0, 1 + len(carried)))
        )
        intervals = [percentile_interval(column) if bootstrap else None for column in replicates.T]
        return AllPairsResult(
            points=tuple(_point(roc, far, total, found) for far, found in zip(carried, intervals[1:], strict=True)),
            eer=roc.eer,
            eer_interval=intervals[0],
            people=len(self.impostors.sizes),
            genuine=len(self.genuine),
            impostors=round(total),
            replicates=replicates,
        )

    def rates_at(self, distance: float, *, bootstrap: int = 1000, seed: int = 0) -> tuple[Estimate, Estimate]:
        """FAR and TAR of a given threshold, with intervals over people.

        Args:
            distance: up to which a pair is accepted; at most the ``reach`` that was given.
            bootstrap: how often to draw people.
            seed: seed of the draws.

        Raises:
            DataError: the distance is beyond the impostor pairs that are kept.
        """
        tail, genuine = self.impostors, self.genuine <= distance
        if distance > tail.distances[-1] and len(tail.distances) < tail.pairs():
            raise DataError(f"the impostor pairs are kept up to {tail.distances[-1]:.3f}; give reach={distance:g}")
        accepted = int(np.searchsorted(tail.distances, distance, side="right"))
        first, second = tail.first[:accepted], tail.second[:accepted]

        def rates(drawn: Integers) -> Floats:
            own = drawn[self._genuine_person]
            pairs, total = tail.pairs(drawn), own.sum()
            if not pairs or not total:
                return np.full(2, np.nan)
            return np.array([(drawn[first] * drawn[second]).sum() / pairs, (own * genuine).sum() / total])

        replicates = bootstrap_people(rates, len(tail.sizes), replicates=bootstrap, seed=seed)
        far, tar = rates(np.ones(len(tail.sizes), np.int64))
        return (
            Estimate(float(far), percentile_interval(replicates[:, 0])),
            Estimate(float(tar), percentile_interval(replicates[:, 1])),
        )

    def _roc(self, drawn: Integers | None = None) -> Roc:
        """The curve when each person is drawn so often (once by default).

        A pair of two people occurs as often as the product of their counts; a genuine pair as often as its person,
        since copies of one person are not paired with each other. The pairs that are not kept stand beyond all others.
        """
        tail = self.impostors
        if drawn is None:
            drawn = np.ones(len(tail.sizes), np.int64)
        weights = (drawn[tail.first] * drawn[tail.second]).astype(np.float64)
        rest = tail.pairs(drawn) - weights.sum()
        return self._ordered.roc(np.concatenate([drawn[self._genuine_person].astype(np.float64), weights, [rest]]))


def _closest(vectors: Floats, person: Integers, genuine: Floats, reach: float) -> Tail:
    """So many of the closest impostor pairs that the curves cross among the first half of them."""
    sizes = np.bincount(person)
    total = (int(sizes.sum()) ** 2 - int((sizes**2).sum())) // 2
    share = min(1.0, max(_LEAST_SHARE, _LEAST_KEPT / total))
    while True:
        tail = nearest_impostors(vectors, person, share)
        last = tail.distances[-1]
        if share == 1 or (last >= reach and np.mean(genuine > last) <= share / 2):
            return tail
        share = min(1.0, 2 * share)


def _point(roc: Roc, far: float, total: float, interval: Interval | None) -> OperatingPoint:
    k = roc.at_far(far)
    accepted = round(float(roc.far[k]) * total)
    return OperatingPoint(far, float(roc.far[k]), float(roc.tar[k]), float(roc.thresholds[k]), accepted, interval)
