"""Folds of people: one tests, the next chooses epochs, the others train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.errors import DataError
from mien.evaluation.pairs import person_folds

LEAST_FOLDS = 3
LEAST_PEOPLE = 2
"""In a fold: one alone makes no impostor pair."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold; no person is in two of its parts.

    Attributes:
        number: from 0.
        of: how many folds there are.
        test: the people that are tested on; empty where another data set is.
        validation: those by whom epochs, thresholds and learning rates are chosen.
        train: those who are trained on.
    """

    number: int
    of: int
    test: tuple[str, ...]
    validation: tuple[str, ...]
    train: tuple[str, ...]


def make_folds(people: Sequence[str], folds: int, *, unordered: bool = False) -> list[Fold]:
    """Deal sorted people to folds; with fewer than two people a fold, to fewer folds.

    Args:
        people: their names.
        folds: how many.
        unordered: shuffle them first, as the official code does without a seed.

    Raises:
        DataError: there are too few people.
    """
    ordered = sorted(people)
    count = min(folds, len(ordered) // LEAST_PEOPLE)
    if count < LEAST_FOLDS:
        raise DataError(f"{len(ordered)} people are too few: {LEAST_FOLDS} folds of {LEAST_PEOPLE} are needed at least")
    if unordered:
        ordered = [ordered[i] for i in np.random.default_rng(0).permutation(len(ordered))]
    of = person_folds(len(ordered), count)
    parts = [tuple(sorted(p for p, k in zip(ordered, of, strict=True) if k == number)) for number in range(count)]
    return [_fold(parts, number) for number in range(count)]


def _fold(parts: Sequence[tuple[str, ...]], test: int) -> Fold:
    validation = (test + 1) % len(parts)
    rest = [person for k, part in enumerate(parts) if k not in (test, validation) for person in part]
    return Fold(test, len(parts), parts[test], parts[validation], tuple(sorted(rest)))


def whole_set(people: Sequence[str], folds: int) -> Fold:
    """Everybody for training but one fold, which chooses epochs; for tests on another data set."""
    first = make_folds(people, folds)[-1]
    return Fold(0, 1, (), first.validation, tuple(sorted({*first.train, *first.test})))
