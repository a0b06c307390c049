from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.reproduction.folds import make_folds, whole_set


@given(st.sets(st.text(st.characters(codec="ascii"), min_size=1), min_size=6, max_size=60), st.integers(3, 10))
def test_nobody_is_in_two_parts_and_everybody_is_tested_once(people: set[str], count: int) -> None:
    folds = make_folds(list(people), count)
    assert len(folds) == min(count, len(people) // 2)
    for fold in folds:
        parts = Counter([*fold.test, *fold.validation, *fold.train])
        assert set(parts) == people
        assert set(parts.values()) == {1}
        assert len(fold.test) >= 2
    assert sorted(person for fold in folds for person in fold.test) == sorted(people)
    assert [fold.validation for fold in folds] == [fold.test for fold in (*folds[1:], folds[0])]


def test_a_fold_of_oulu_casia_has_eight_people_in_sorted_order() -> None:
    people = [f"P{number:03d}" for number in range(1, 81)]
    folds = make_folds(people[::-1], 10)
    assert folds[0].test == tuple(people[:8])
    assert folds[9].validation == tuple(people[:8])
    assert {len(fold.train) for fold in folds} == {64}


def test_unordered_folds_are_others_but_the_same_each_time() -> None:
    people = [f"P{number:03d}" for number in range(1, 81)]
    once, again = (make_folds(people, 10, unordered=True) for _ in range(2))
    assert once == again
    assert once != make_folds(people, 10)
    assert sorted(person for fold in once for person in fold.test) == people


def test_the_folds_do_not_depend_on_the_order_of_reading() -> None:
    people = [f"P{number}" for number in range(20)]
    assert make_folds(people, 5) == make_folds(people[::-1], 5)


def test_too_few_people_are_refused() -> None:
    with pytest.raises(DataError, match="5 people are too few: 3 folds of 2 are needed"):
        make_folds(list("abcde"), 10)


def test_for_another_test_set_all_but_one_fold_train() -> None:
    people = [f"P{number:02d}" for number in range(20)]
    fold = whole_set(people, 10)
    assert fold.test == ()
    assert len(fold.validation) == 2
    assert sorted([*fold.validation, *fold.train]) == people
