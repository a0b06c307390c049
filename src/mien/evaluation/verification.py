"""Verification: accuracy over folds, TAR at a FAR, equal error rate, each with an interval over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.intervals import Interval, bootstrap_people, percentile_interval
from mien.evaluation.pairs import Labels, Pairs, make_pairs, pair_distances
from mien.evaluation.roc import SortedPairs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """One fold's result.

    Attributes:
        threshold: the threshold, chosen on all the other folds.
        accuracy: mean of the shares of genuine pairs accepted and of impostor pairs refused, in this fold.
    """

    threshold: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold chosen for a FAR gives, on the pairs it was chosen on.

    Attributes:
        far_asked: the FAR that was asked for; the FAR reached is at most that.
        far: the FAR reached.
        tar: the TAR reached.
        threshold: the largest distance, of those observed, that keeps to ``far_asked``; -inf when none does.
        false_accepts: impostor pairs accepted; below about 10 the point is hardly determined.
        interval: of ``tar``, over people, the threshold chosen anew in each draw; None when not asked for.
    """

    far_asked: float
    far: float
    tar: float
    threshold: float
    false_accepts: int
    interval: Interval | None


@dataclass(frozen=True, slots=True, eq=False)
class VerificationResult:
    """How well identities were verified.

    Attributes:
        accuracy: mean of the folds' accuracies.
        accuracy_std: their standard deviation (of the sample; 0 for one fold).
        accuracy_interval: interval of ``accuracy`` over people; None when not asked for.
        folds: each fold's threshold and accuracy.
        points: TAR at each FAR that was asked for.
        eer: equal error rate.
        eer_interval: its interval over people; None when not asked for.
        auc: area under the ROC curve.
        people: how many people occur in the pairs.
        genuine: how many genuine pairs.
        impostors: how many impostor pairs.
        replicates: ``(R, 2 + len(points))`` bootstrap replicates of accuracy, eer and the TARs; R may be 0.
    """

    accuracy: float
    accuracy_std: float
    accuracy_interval: Interval | None
    folds: tuple[FoldAccuracy, ...]
    points: tuple[OperatingPoint, ...]
    eer: float
    eer_interval: Interval | None
    auc: float
    people: int
    genuine: int
    impostors: int
    replicates: Floats


def evaluate_verification(
    embeddings: NDArray[np.floating],
    identities: Labels,
    *,
    folds: int = 10,
    fars: Sequence[float] = (1e-2, 1e-3),
    max_genuine: int = 10,
    impostors_per_genuine: float = 10.0,
    bootstrap: int = 1000,
    seed: int = 0,
) -> VerificationResult:
    """Verify identities by Euclidean distance of embeddings: pairs, folds, rates and intervals in one call.

    Args:
        embeddings: ``(N, D)``.
        identities: ``(N,)`` who is on each photo.
        folds: folds of people for the accuracy.
        fars: false acceptance rates at which to give the TAR.
        max_genuine: see `mien.evaluation.make_pairs`.
        impostors_per_genuine: see there.
        bootstrap: how often to draw people for the intervals; 0 for none.
        seed: seed of the pairs and of the bootstrap.

    Raises:
        DataError: the arrays do not fit, or people or photos do not suffice for the folds.
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2 or len(embeddings) != len(identities):
        raise DataError(
            f"embeddings {embeddings.shape} do not fit {len(identities)} identities; give (N, D) for N photos"
        )
    pairs = make_pairs(
        identities, folds=folds, max_genuine=max_genuine, impostors_per_genuine=impostors_per_genuine, seed=seed
    )
    return evaluate_distances(pair_distances(embeddings, pairs), pairs, fars=fars, bootstrap=bootstrap, seed=seed)


def evaluate_distances(
    distances: NDArray[np.floating],
    pairs: Pairs,
    *,
    fars: Sequence[float] = (1e-2, 1e-3),
    bootstrap: int = 1000,
    seed: int = 0,
) -> VerificationResult:
    """Evaluate given distances ``(P,)`` of given pairs; see `evaluate_verification`."""
    ordered = SortedPairs(distances, pairs.same)
    roc = ordered.roc()
    folds = fold_accuracies(ordered, pairs.fold)
    accuracies = np.array([fold.accuracy for fold in folds])

    def statistics(drawn: Integers) -> Floats:
        return _figures(ordered, pairs, fars, drawn)

    replicates = (
        bootstrap_people(statistics, len(pairs.people), replicates=bootstrap, seed=seed)
        if bootstrap
        else np.empty((0, 2 + len(fars)))
    )
    intervals = [percentile_interval(column) for column in replicates.T] if bootstrap else [None] * (2 + len(fars))
    impostors = int((~pairs.same).sum())
    points = []
    for far, interval in zip(fars, intervals[2:], strict=True):
        k = roc.at_far(far)
        accepted = round(float(roc.far[k]) * impostors)
        points.append(
            OperatingPoint(far, float(roc.far[k]), float(roc.tar[k]), float(roc.thresholds[k]), accepted, interval)
        )
    return VerificationResult(
        accuracy=float(accuracies.mean()),
        accuracy_std=float(accuracies.std(ddof=1)) if len(accuracies) > 1 else 0.0,
        accuracy_interval=intervals[0],
        folds=folds,
        points=tuple(points),
        eer=roc.eer,
        eer_interval=intervals[1],
        auc=roc.auc,
        people=len(np.union1d(pairs.person_first, pairs.person_second)),
        genuine=len(pairs) - impostors,
        impostors=impostors,
        replicates=replicates,
    )


class Replicated(Protocol):
    """A result with bootstrap replicates of its figures."""

    @property
    def people(self) -> int:
        """How many people were drawn from."""

    @property
    def replicates(self) -> Floats:
        """``(R, K)`` of K figures."""


def paired_difference(ours: Replicated, theirs: Replicated, level: float = 0.95) -> tuple[Interval, ...]:
    """Intervals of ours minus theirs for each figure of the replicates; both from the same pairs and bootstrap seed.

    Raises:
        DataError: the results do not belong together or hold no replicates.
    """
    if ours.replicates.shape != theirs.replicates.shape or not len(ours.replicates) or ours.people != theirs.people:
        raise DataError(
            "the two results cannot be paired; evaluate both on the same pairs with the same bootstrap and seed"
        )
    return tuple(percentile_interval(column, level) for column in (ours.replicates - theirs.replicates).T)


def fold_accuracies(ordered: SortedPairs, fold: Integers, weights: Floats | None = None) -> tuple[FoldAccuracy, ...]:
    """Accuracy of each fold at the threshold that is best on all other folds.

    Genuine and impostor pairs count one half each, so the figure does not depend on how many impostor pairs were drawn;
    with as many of each it is the usual accuracy. The best threshold lies midway between the neighbouring distances of
    the other folds; of equally good ones the strictest is taken (-inf: refuse all). With a single fold the threshold is
    chosen on itself.

    Args:
        ordered: distances and labels of P pairs.
        fold: ``(P,)`` fold of each pair, in the order in which the distances were given.
        weights: ``(P,)`` weights, in the same order; folds whose genuine or impostor pairs weigh nothing are left out.
    """
    weights = np.ones(len(fold)) if weights is None else weights
    fold, weights = fold[ordered.order], weights[ordered.order]
    signed = np.where(ordered.same, weights, -weights)
    count = int(fold.max()) + 1
    genuine = np.bincount(fold, weights * ordered.same, count).astype(np.float64)
    impostor = np.bincount(fold, weights * ~ordered.same, count).astype(np.float64)
    results = []
    for k in np.flatnonzero((genuine > 0) & (impostor > 0)).tolist():
        own = fold == k
        others = (own if count == 1 else ~own) & (weights > 0)
        scale = np.where(
            ordered.same, _others(impostor, k), _others(genuine, k)
        )  # whole numbers: equal sums stay equal
        threshold = _best_threshold(ordered.distances[others], (signed * scale)[others])
        accepted = own & (ordered.distances <= threshold)
        tar = weights[accepted & ordered.same].sum() / genuine[k]
        far = weights[accepted & ~ordered.same].sum() / impostor[k]
        results.append(FoldAccuracy(threshold, float(tar + 1 - far) / 2))
    return tuple(results)


def contiguous_blocks(count: int, blocks: int = 10) -> Integers:
    """Number the block of each of ``count`` items that are cut into contiguous blocks.

    >>> contiguous_blocks(5, 2).tolist()
    [0, 0, 0, 1, 1]
    """
    return np.arange(count) * blocks // max(1, count)


def fold_decisions(
    distances: NDArray[np.floating], same: NDArray[np.bool_], fold: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Accept or refuse each pair at the threshold that is best on the other folds.

    The official code of Ming et al., 2019, takes ten contiguous blocks of the pairs of one test fold, which share
    people; thresholds from other people are stricter. Genuine and impostor pairs count one half each when a threshold
    is chosen, as in `fold_accuracies`.

    Args:
        distances: ``(P,)``.
        same: ``(P,)`` whether a pair is genuine.
        fold: ``(P,)`` number of its fold.

    Returns:
        ``(P,)`` whether each pair is accepted.

    Raises:
        DataError: the folds other than one lack genuine or impostor pairs.
    """
    accepted = np.zeros(len(same), np.bool_)
    for k in np.unique(fold).tolist():
        own = fold == k
        accepted[own] = distances[own] <= best_threshold(distances[~own], same[~own])
    return accepted


def best_threshold(distances: NDArray[np.floating], same: NDArray[np.bool_]) -> float:
    """The threshold that tells these pairs apart best, genuine and impostor pairs counting one half each.

    It lies midway between neighbouring distances; of equally good ones the strictest is taken (-inf: refuse all).

    Raises:
        DataError: genuine or impostor pairs are absent.
    """
    ordered = SortedPairs(distances, same)
    genuine = int(ordered.same.sum())
    impostors = len(ordered.same) - genuine
    if not genuine or not impostors:
        raise DataError(f"a threshold needs genuine and impostor pairs; there are {genuine} and {impostors}")
    gains = np.where(ordered.same, float(impostors), -float(genuine))
    return _best_threshold(ordered.distances.astype(np.float64), gains)


def _others(totals: Floats, k: int) -> float:
    """Weight of the folds other than k, or of k itself when it is the only one."""
    return float(totals.sum() - totals[k] if len(totals) > 1 else totals[k])


def _best_threshold(distances: Floats, gains: Floats) -> float:
    """Where the running sum of gains is highest; distances ascending."""
    if not len(distances):
        return -np.inf
    ends = np.flatnonzero(np.append(np.diff(distances) > 0, True))
    reached = np.cumsum(gains)[ends]
    best = int(np.argmax(reached))
    if reached[best] <= 0:
        return -np.inf
    low = float(distances[ends[best]])
    high = float(distances[ends[best] + 1]) if best + 1 < len(ends) else low
    middle = low + (high - low) / 2
    return middle if middle < high else low


def _figures(ordered: SortedPairs, pairs: Pairs, fars: Sequence[float], drawn: Integers) -> Floats:
    """Accuracy, EER and TARs when each person occurs ``drawn`` times; NaN where no pair is left.

    A pair of two people occurs as often as the product of their counts; a genuine pair as often as its person, since
    copies of one person are not paired with each other.
    """
    first = drawn[pairs.person_first]
    weights = np.where(pairs.same, first, first * drawn[pairs.person_second]).astype(np.float64)
    try:
        roc = ordered.roc(weights)
    except DataError:
        return np.full(2 + len(fars), np.nan)
    folds = [fold.accuracy for fold in fold_accuracies(ordered, pairs.fold, weights)]
    accuracy = float(np.mean(folds)) if folds else np.nan
    return np.array([accuracy, roc.eer, *(roc.tar[roc.at_far(far)] for far in fars)])
