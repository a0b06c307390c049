from __future__ import annotations

import numpy as np
import pytest

from mien.errors import DataError
from mien.evaluation import evaluate_expression, macro_over_people, mean_over_people, wilson


def test_photos_of_one_person_count_as_one_person() -> None:
    """Ten equal photos a person make the interval no narrower."""
    values, people = np.array([1.0, 0, 1, 1, 0, 1, 0, 1]), np.arange(8)
    once = mean_over_people(values, people)
    often = mean_over_people(np.repeat(values, 10), np.repeat(people, 10))
    assert (once.low, once.high) == (often.low, often.high)
    assert once.low < values.mean() < once.high


def test_where_nothing_varies_wilson_counts_the_people() -> None:
    found = mean_over_people(np.ones(30), np.repeat(np.arange(3), 10))
    assert found == wilson(3, 3)


def test_pairs_are_drawn_by_both_their_people() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 12, (2, 400))
    hard = rng.random(12)
    values = (rng.random(400) < (hard[first] + hard[second]) / 2).astype(float)
    by_people, by_first = mean_over_people(values, first, second), mean_over_people(values, np.arange(400))
    assert by_people.high - by_people.low > 1.5 * (by_first.high - by_first.low)


def test_no_items_are_refused() -> None:
    with pytest.raises(DataError, match="no interval"):
        mean_over_people(np.array([]), np.array([], int))
    with pytest.raises(DataError, match="nothing to evaluate"):
        macro_over_people(np.zeros((1, 0), int), np.array([], int), np.array([], int), 3)


def test_macro_figures_of_people_lie_in_their_intervals() -> None:
    rng = np.random.default_rng(0)
    labels, people = rng.integers(0, 4, 300), rng.integers(0, 25, 300)
    said = np.where(rng.random((2, 300)) < 0.6, labels, rng.integers(0, 4, (2, 300)))
    recall, f1 = macro_over_people(said, labels, people, 4, bootstrap=300)
    results = [evaluate_expression(np.eye(4)[one], labels, list("abcd"), bootstrap=0) for one in said]
    for interval, name in ((recall, "macro_recall"), (f1, "macro_f1")):
        mean = np.mean([getattr(result, name) for result in results])
        assert interval.low < mean < interval.high
        assert interval.high - interval.low < 0.25


def test_macro_intervals_draw_people_not_photos() -> None:
    labels, people = np.tile(np.arange(3), 8), np.repeat(np.arange(8), 3)
    said = np.where(people < 4, labels, 0)[None]
    once = macro_over_people(said, labels, people, 3)
    often = macro_over_people(np.tile(said, 10), np.tile(labels, 10), np.tile(people, 10), 3)
    assert [(each.low, each.high) for each in once] == [(each.low, each.high) for each in often]


def test_repetitions_that_disagree_widen_the_interval() -> None:
    """Of two trainings one is right of everybody, one of nobody: by people alone each would be a half, surely."""
    people = np.arange(8)
    found = mean_over_people(np.stack([np.ones(8), np.zeros(8)]), people)
    assert (found.low, found.high) == (0, 1)
    averaged = mean_over_people(np.full(8, 0.5), people)
    assert (averaged.low, averaged.high) == (0.5, 0.5)


def test_equal_repetitions_are_one() -> None:
    values, people = np.array([1.0, 0, 1, 1, 0, 1, 0, 1]), np.arange(8)
    assert mean_over_people(np.stack([values] * 3), people) == mean_over_people(values, people)
