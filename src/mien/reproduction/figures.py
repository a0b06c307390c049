"""A figure with its spread: over folds, over seeds, over people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluation import Interval, mean_over_people

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes:
        mean: over folds, then over seeds.
        fold_sd: standard deviation over folds of the seeds' mean; None with one fold.
        seed_sd: standard deviation over seeds of the folds' mean; None with one seed.
        low: lower end of the 95 % interval over people of the pooled items, seeds averaged; None where it has none.
        high: its upper end.
        n: how many items were pooled.
        people: how many people they are of.
        seeds: over how many seeds.
        folds: over how many folds.
    """

    mean: float
    fold_sd: float | None
    seed_sd: float | None
    low: float | None
    high: float | None
    n: int
    people: int
    seeds: int
    folds: int


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Items of one fold, each judged once a seed.

    Attributes:
        values: ``(S, N)`` what was found, e.g. 1 for a right decision.
        first: ``(N,)`` whose item it is.
        second: ``(N,)`` the other person of a pair; as ``first`` where it is of one person.
    """

    values: Floats
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> Items:
        """Some of the items."""
        return Items(self.values[:, chosen], self.first[chosen], self.second[chosen])


def pool(folds: Sequence[Items]) -> Items:
    """The items of all folds; folds share no people, so their numbers are moved apart."""
    starts = np.cumsum([0, *(int(max(fold.first.max(), fold.second.max())) + 1 for fold in folds if fold.first.size)])
    filled = [fold for fold in folds if fold.first.size]
    return Items(
        np.concatenate([fold.values for fold in filled], axis=1),
        np.concatenate([fold.first + start for fold, start in zip(filled, starts, strict=False)]),
        np.concatenate([fold.second + start for fold, start in zip(filled, starts, strict=False)]),
    )


def figure(folds: Sequence[Items], *, bootstrap: int = 1000) -> Figure | None:
    """The mean of items over folds and seeds; None when there are none."""
    filled = [fold for fold in folds if fold.first.size]
    if not filled:
        return None
    by_fold = np.stack([fold.values.mean(axis=1) for fold in filled], axis=1)
    pooled = pool(filled)
    interval = mean_over_people(pooled.values.mean(axis=0), pooled.first, pooled.second, bootstrap=bootstrap)
    people = len(np.unique(np.concatenate([pooled.first, pooled.second])))
    return spread(by_fold, interval, pooled.values.shape[1], people)


def spread(by_fold: Floats, interval: Interval | None, n: int, people: int) -> Figure:
    """A figure from values ``(S, F)`` of seeds and folds."""
    seeds, folds = by_fold.shape
    return Figure(
        mean=float(by_fold.mean()),
        fold_sd=statistics.stdev(by_fold.mean(axis=0).tolist()) if folds > 1 else None,
        seed_sd=statistics.stdev(by_fold.mean(axis=1).tolist()) if seeds > 1 else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=n,
        people=people,
        seeds=seeds,
        folds=folds,
    )


def difference(ours: Sequence[Items], theirs: Sequence[Items], *, bootstrap: int = 1000) -> Figure | None:
    """Ours minus theirs, item by item, each averaged over its seeds; the interval is over people."""
    if not ours or not theirs:
        return None
    apart = [
        Items(a.values.mean(axis=0)[None] - b.values.mean(axis=0)[None], a.first, a.second)
        for a, b in zip(ours, theirs, strict=True)
    ]
    pooled = pool(apart)
    if not pooled.values.any():
        by_fold = np.zeros((1, len(apart)))
        return spread(by_fold, Interval(0.0, 0.0), pooled.values.shape[1], len(np.unique(pooled.first)))
    return figure(apart, bootstrap=bootstrap)
