from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation import make_pairs, pair_distances, person_folds

# two people with two photos in each half of the sorted people, whatever else there is
identities = st.lists(st.integers(0, 9), max_size=120).map(lambda more: [*range(10), *range(10), *more])


@given(identities, st.integers(1, 5), st.integers(0, 1000))
def test_pairs_keep_their_promises(people, folds, seed):
    pairs = make_pairs(people, folds=folds, seed=seed, impostors_per_genuine=3)
    labels = np.array(people)
    assert (pairs.same == (labels[pairs.first] == labels[pairs.second])).all()
    assert (pairs.first != pairs.second).all()
    unordered = {frozenset(pair) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
    assert len(unordered) == len(pairs)
    genuine_people = pairs.person_first[pairs.same]
    assert np.bincount(genuine_people).max() <= 10
    assert set(genuine_people.tolist()) == set(range(10))
    folds_of_people = person_folds(10, folds)
    assert (folds_of_people[pairs.person_first] == pairs.fold).all()
    assert (folds_of_people[pairs.person_second] == pairs.fold).all()
    again = make_pairs(people, folds=folds, seed=seed, impostors_per_genuine=3)
    assert (again.first == pairs.first).all()
    assert (again.second == pairs.second).all()


@given(identities, st.floats(0.5, 40))
def test_impostors_are_as_many_as_asked_or_as_there_are(people, ratio):
    pairs = make_pairs(people, folds=1, impostors_per_genuine=ratio)
    counts = np.bincount(people)
    available = (len(people) ** 2 - (counts**2).sum()) // 2
    assert (~pairs.same).sum() == min(available, np.ceil(ratio * pairs.same.sum()))


def test_few_photos_of_a_person_give_all_pairs_many_give_ten():
    pairs = make_pairs(["a"] * 4 + ["b"] * 200, folds=1)
    assert np.bincount(pairs.person_first[pairs.same]).tolist() == [6, 10]
    assert pairs.people == ("a", "b")


def test_impostor_pairs_are_drawn_evenly_over_people():
    people = [0] * 500 + [person for person in range(1, 60) for _ in range(2)]
    pairs = make_pairs(people, folds=1, impostors_per_genuine=10)
    impostor = ~pairs.same
    share = np.mean((pairs.person_first[impostor] == 0) | (pairs.person_second[impostor] == 0))
    assert share == pytest.approx(2 / 60, abs=0.02)


def test_unlabelled_photos_take_no_part():
    pairs = make_pairs([-1, 3, 3, 5, -1, 5], folds=1)
    assert set(pairs.first.tolist()) | set(pairs.second.tolist()) == {1, 2, 3, 5}
    names = make_pairs(["", "x", "x", "y", None, "y"], folds=1)
    assert names.first.tolist() == pairs.first.tolist()
    assert pairs.people == (3, 5)


def test_folds_are_contiguous_over_sorted_people():
    people = ["d", "c", "b", "a"] * 2
    pairs = make_pairs(people, folds=2)
    assert pairs.people == ("a", "b", "c", "d")
    assert set(zip(pairs.person_first.tolist(), pairs.fold.tolist(), strict=True)) <= {(0, 0), (1, 0), (2, 1), (3, 1)}
    assert person_folds(7, 3).tolist() == [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("people", [["a", "a"], ["a", "b"], []])
def test_too_few_people_are_refused(people):
    with pytest.raises(DataError):
        make_pairs(people, folds=1)
    with pytest.raises(DataError, match="folds"):
        make_pairs(people, folds=3)


def test_distances_do_not_depend_on_the_chunk():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(40, 8)).astype(np.float32)
    pairs = make_pairs(np.arange(40) // 2, folds=2)
    expected = [np.linalg.norm(embeddings[i] - embeddings[j]) for i, j in zip(pairs.first, pairs.second, strict=True)]
    np.testing.assert_allclose(pair_distances(embeddings, pairs), expected, rtol=1e-6)
    assert (pair_distances(embeddings, pairs, chunk=7) == pair_distances(embeddings, pairs)).all()
