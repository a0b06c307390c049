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
        low: lower end of the 95 % interval of the pooled items: over people, seeds averaged, or of a difference over
            people and seeds; None where it has none.
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

    def of_seeds(self, rows: Sequence[int]) -> Items:
        """All items, as some rows of ``values`` judged them."""
        return Items(self.values[list(rows)], self.first, self.second)


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
    """The mean of items over folds and seeds, with the interval over people; None when there are none."""
    return _figure(folds, bootstrap, draw_seeds=False)


def _figure(folds: Sequence[Items], bootstrap: int, *, draw_seeds: bool) -> Figure | None:
    filled = [fold for fold in folds if fold.first.size]
    if not filled:
        return None
    by_fold = np.stack([fold.values.mean(axis=1) for fold in filled], axis=1)
    pooled = pool(filled)
    people = len(np.unique(np.concatenate([pooled.first, pooled.second])))
    if draw_seeds and not pooled.values.any():
        interval = Interval(0.0, 0.0)  # equal in everything, which is no share of none
    else:
        values = pooled.values if draw_seeds else pooled.values.mean(axis=0)
        interval = mean_over_people(values, pooled.first, pooled.second, bootstrap=bootstrap)
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
    """Ours minus theirs, item by item and seed by seed; the interval is over people and seeds.

    Another training with the same method gives other answers, by more than many a difference; so the seeds are drawn
    together with the people.

    Args:
        ours: by fold.
        theirs: of the same items, by the same seeds.
        bootstrap: how often to draw.
    """
    if not ours or not theirs:
        return None
    apart = [Items(a.values - b.values, a.first, a.second) for a, b in zip(ours, theirs, strict=True)]
    return _figure(apart, bootstrap, draw_seeds=True)
