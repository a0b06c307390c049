from __future__ import annotations

import numpy as np
import pytest

from mien.reproduction.figures import Items, difference, figure, pool


def _items(values: list[list[float]], first: list[int], second: list[int] | None = None) -> Items:
    return Items(np.array(values, float), np.array(first), np.array(first if second is None else second))


def test_worked_by_hand() -> None:
    # Two seeds (rows) in two folds: means 0.5, 1 and 0, 0.5 by seed.
    folds = [_items([[1, 0], [1, 1]], [0, 1]), _items([[0, 0, 0, 0], [1, 1, 0, 0]], [0, 0, 1, 1])]
    found = figure(folds)
    assert found is not None
    assert found.mean == pytest.approx((0.5 + 0 + 1 + 0.5) / 4)
    assert found.fold_sd == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert found.seed_sd == pytest.approx(np.std([0.25, 0.75], ddof=1))
    assert (found.n, found.people, found.seeds, found.folds) == (6, 4, 2, 2)
    assert 0 <= found.low <= 0.5 <= found.high <= 1  # type: ignore[operator]


def test_people_of_different_folds_are_different_people() -> None:
    pooled = pool([_items([[1, 1]], [0, 2]), _items([[0]], [1], [2]), _items([[]], []), _items([[1]], [0])])
    assert pooled.first.tolist() == [0, 2, 4, 6]
    assert pooled.second.tolist() == [0, 2, 5, 6]
    assert pooled.values.tolist() == [[1, 1, 0, 1]]


def test_one_fold_and_one_seed_have_no_spread_over_them() -> None:
    found = figure([_items([[1, 0, 1]], [0, 1, 2])])
    assert found is not None
    assert found.fold_sd is None
    assert found.seed_sd is None


def test_nothing_to_count() -> None:
    assert figure([]) is None
    assert figure([_items([[]], [])]) is None
    assert difference([], [_items([[1]], [0])]) is None


def test_a_difference_is_paired_item_by_item() -> None:
    """Two rows that are wrong in turn differ by nothing on average, but not surely."""
    ours, theirs = [_items([[1, 0] * 10], list(range(20)))], [_items([[0, 1] * 10], list(range(20)))]
    apart = difference(ours, theirs)
    assert apart is not None
    assert apart.mean == 0
    assert apart.low < 0 < apart.high  # type: ignore[operator]
    same = difference(ours, ours)
    assert same is not None
    assert (same.low, same.high) == (0, 0)


def test_seeds_are_averaged_before_people_are_drawn() -> None:
    """Five times the same seed makes an interval no narrower."""
    once = figure([_items([[1, 0, 0, 1, 1, 0, 1, 0]], list(range(8)))])
    often = figure([_items([[1, 0, 0, 1, 1, 0, 1, 0]] * 5, list(range(8)))])
    assert once is not None
    assert often is not None
    assert (once.low, once.high) == (often.low, often.high)


def test_a_difference_that_changes_with_the_seed_is_not_sure() -> None:
    """Ours is right of everybody with one seed, theirs with the other two; drawing people alone would be sure."""
    ours = [_items([[1] * 6, [0] * 6, [0] * 6], [0, 1, 2, 3, 4, 5]), _items([[1] * 4, [0] * 4, [0] * 4], [0, 1, 2, 3])]
    theirs = [Items(1 - fold.values, fold.first, fold.second) for fold in ours]
    apart = difference(ours, theirs)
    assert apart is not None
    assert apart.mean == pytest.approx(-1 / 3)
    assert apart.seed_sd == pytest.approx(np.std([1, -1, -1], ddof=1))
    assert apart.seeds == 3
    assert (apart.low, apart.high) == (-1, 1)


def test_items_of_some_seeds() -> None:
    assert _items([[1, 0], [0, 0], [1, 1]], [0, 1]).of_seeds([2, 0]).values.tolist() == [[1, 1], [1, 0]]
