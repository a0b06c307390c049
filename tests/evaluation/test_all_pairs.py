from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation import AllPairs, all_pairs, paired_difference
from mien.evaluation.roc import Roc


def faces(people, photos, spread=0.3, seed=0):
    """Unit vectors around a random one for each person, in mixed order; and who each is of."""
    rng = np.random.default_rng(seed)
    person = rng.permutation(np.repeat(np.arange(people), photos))
    vectors = rng.normal(size=(people, 8))[person] + spread * rng.normal(size=(len(person), 8))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), person


def every_pair(vectors, person, drawn=None):
    """Distance, kind and weight of every pair of photos, one by one."""
    drawn = np.ones(person.max() + 1, int) if drawn is None else drawn
    rows = []
    for i, j in combinations(range(len(person)), 2):
        same = person[i] == person[j]
        weight = drawn[person[i]] if same else drawn[person[i]] * drawn[person[j]]
        rows.append((np.linalg.norm(vectors[i] - vectors[j]), same, weight))
    distances, same, weights = map(np.array, zip(*rows, strict=True))
    return distances, same, weights.astype(float)


def tar_at(distances, same, weights, far):
    """The definition: try every distance as the threshold, keep those whose FAR is allowed."""
    best = 0.0
    for threshold in distances:
        accepted = distances <= threshold
        reached = weights[accepted & ~same].sum() / weights[~same].sum()
        if reached <= far:
            best = max(best, weights[accepted & same].sum() / weights[same].sum())
    return best


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.6, 1.5]))
def test_rates_are_those_of_a_count_of_every_pair(seed, spread):
    vectors, person = faces(12, 4, spread, seed)
    distances, same, weights = every_pair(vectors, person)
    result = AllPairs(vectors, person).evaluate(fars=(0.05, 0.02), bootstrap=0)
    assert (result.people, result.genuine, result.impostors) == (12, 12 * 6, 48 * 47 // 2 - 12 * 6)
    for point in result.points:
        assert point.tar == pytest.approx(tar_at(distances, same, weights, point.far_asked))
        assert point.false_accepts == (distances[~same] <= point.threshold + 1e-9).sum()
        assert point.far == pytest.approx(point.false_accepts / result.impostors)
    assert result.eer == pytest.approx(Roc.of(distances, same).eer, abs=1e-12)


@pytest.mark.parametrize("spread", [0.3, 2.0])
def test_the_pairs_that_are_not_kept_change_nothing(spread, monkeypatch):
    vectors, person = faces(60, 3, spread)
    everything = AllPairs(vectors, person)
    monkeypatch.setattr(all_pairs, "_LEAST_KEPT", 10)
    part = AllPairs(vectors, person)
    assert len(part.impostors.distances) < len(everything.impostors.distances) == everything.impostors.pairs()
    fars = (0.05, 0.01, 0.001)
    expected, found = everything.evaluate(fars, bootstrap=50), part.evaluate(fars, bootstrap=50)
    assert found.points == expected.points
    assert found.eer == pytest.approx(expected.eer)
    np.testing.assert_allclose(found.replicates, expected.replicates, atol=1e-12)


def test_intervals_are_the_bootstrap_over_people():
    """Oracle: draw people, weigh every pair by how often its people were drawn."""
    vectors, person = faces(15, 3, 0.5)
    result = AllPairs(vectors, person).evaluate(fars=(0.05, 0.02), bootstrap=40, seed=7)
    rng, expected = np.random.default_rng(7), []
    for _ in range(40):
        drawn = np.bincount(rng.integers(0, 15, size=15), minlength=15)
        distances, same, weights = every_pair(vectors, person, drawn)
        tars = [tar_at(distances, same, weights, far) for far in (0.05, 0.02)]
        expected.append([Roc.of(distances, same, weights).eer, *tars])
    np.testing.assert_allclose(result.replicates, expected, atol=1e-12)
    low, high = np.quantile(np.array(expected)[:, 1], [0.025, 0.975])
    assert (result.points[0].interval.low, result.points[0].interval.high) == pytest.approx((low, high))


def test_rates_that_the_pairs_do_not_carry_are_left_out():
    vectors, person = faces(40, 3)  # 7,020 impostor pairs
    points = AllPairs(vectors, person).evaluate(bootstrap=0).points
    assert [point.far_asked for point in points] == [1e-2]


def test_rates_at_a_given_distance(monkeypatch):
    monkeypatch.setattr(all_pairs, "_LEAST_KEPT", 10)
    vectors, person = faces(40, 3)
    distances, same, _ = every_pair(vectors, person)
    threshold = float(np.quantile(distances[~same], 0.4))
    with pytest.raises(DataError, match="give reach="):
        AllPairs(vectors, person).rates_at(threshold)
    far, tar = AllPairs(vectors, person, reach=threshold).rates_at(threshold, bootstrap=200)
    assert far.value == pytest.approx((distances[~same] <= threshold).mean())
    assert tar.value == pytest.approx((distances[same] <= threshold).mean())
    assert far.interval.low < far.value < far.interval.high


def test_at_most_ten_genuine_pairs_per_person_and_no_unlabelled_photo():
    vectors, person = faces(5, 6)
    labels = [None if one == 4 else f"person {one}" for one in person]
    pairs = AllPairs(vectors, labels)
    assert len(pairs.genuine) == 4 * 10
    assert pairs.impostors.pairs() == 6 * 6 * 6


def test_results_on_the_same_pairs_are_compared_in_pairs():
    vectors, person = faces(40, 3, 0.6)
    ours = AllPairs(vectors, person).evaluate(bootstrap=100)
    same = AllPairs(2 * vectors, person).evaluate(bootstrap=100)
    assert all(interval.low == interval.high == 0 for interval in paired_difference(ours, same))


@pytest.mark.parametrize(
    ("people", "sentence"), [(["a", "b"], "none of 2 people has two photos"), (["a", "a"], "at least two people")]
)
def test_too_few_photos_are_refused(people, sentence):
    with pytest.raises(DataError, match=sentence):
        AllPairs(np.eye(2), people)


def test_arrays_must_fit():
    with pytest.raises(DataError, match="do not fit 3 identities"):
        AllPairs(np.eye(2), ["a", "a", "b"])
