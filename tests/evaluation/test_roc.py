from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from mien.errors import DataError
from mien.evaluation import Roc

# few distinct values, so that ties are common
labelled_distances = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=80).filter(
    lambda items: 0 < sum(same for _, same in items) < len(items)
)


def arrays(items):
    return np.array([d for d, _ in items], float) / 8, np.array([same for _, same in items])


@given(labelled_distances)
def test_agrees_with_scikit_learn(items):
    distances, same = arrays(items)
    roc = Roc.of(distances, same)
    far, tar, thresholds = roc_curve(same, -distances, drop_intermediate=False)
    np.testing.assert_allclose(roc.far, far)
    np.testing.assert_allclose(roc.tar, tar)
    np.testing.assert_allclose(roc.thresholds, -thresholds)
    assert roc.auc == pytest.approx(roc_auc_score(same, -distances))


@given(labelled_distances, st.integers(0, 2**32 - 1))
def test_integer_weights_are_repetitions(items, seed):
    distances, same = arrays(items)
    weights = np.random.default_rng(seed).integers(0, 4, size=len(same))
    repeated = np.repeat(np.arange(len(same)), weights)
    if len(set(same[repeated])) < 2:
        with pytest.raises(DataError):
            Roc.of(distances, same, weights.astype(float))
        return
    weighted, copied = Roc.of(distances, same, weights.astype(float)), Roc.of(distances[repeated], same[repeated])
    for far in (0, 0.1, 0.5, 1):
        assert weighted.tar[weighted.at_far(far)] == copied.tar[copied.at_far(far)]
    assert weighted.auc == pytest.approx(copied.auc)


@given(labelled_distances, st.floats(0, 1))
def test_point_at_far_is_the_largest_threshold_that_keeps_to_it(items, far):
    distances, same = arrays(items)
    roc = Roc.of(distances, same)
    k = roc.at_far(far)
    assert roc.far[k] <= far
    assert k == len(roc.far) - 1 or roc.far[k + 1] > far
    assert np.mean(distances[~same] <= roc.thresholds[k]) == pytest.approx(roc.far[k])
    assert np.mean(distances[same] <= roc.thresholds[k]) == pytest.approx(roc.tar[k])


@given(labelled_distances)
def test_eer_is_a_rate_between_the_neighbouring_errors(items):
    roc = Roc.of(*arrays(items))
    frr = 1 - roc.tar
    worst = np.maximum(roc.far, frr)
    assert 0 <= roc.eer <= worst.min() + 1e-12
    assert roc.eer >= np.minimum(roc.far, frr).max() - 1e-12


def test_worked_by_hand():
    distances = np.array([0.1, 0.2, 0.3, 0.6, 0.4, 0.5, 0.7, 0.8])
    same = np.array([True] * 4 + [False] * 4)
    roc = Roc.of(distances, same)
    assert roc.tar[roc.at_far(0)] == 0.75
    assert roc.thresholds[roc.at_far(0)] == 0.3
    assert roc.tar[roc.at_far(0.25)] == 0.75
    assert roc.thresholds[roc.at_far(0.25)] == 0.4
    assert roc.tar[roc.at_far(0.5)] == 1
    assert roc.eer == 0.25
    assert roc.auc == 14 / 16


def test_separated_and_useless_distances():
    assert Roc.of(np.array([0.1, 0.9]), np.array([True, False])).eer == 0
    useless = Roc.of(np.full(6, 0.5), np.arange(6) < 3)
    assert useless.eer == 0.5
    assert useless.auc == 0.5
    assert useless.tar[useless.at_far(0.9)] == 0  # ties fall together, so nothing can be accepted


@pytest.mark.parametrize("same", [[True, True], [False, False], []])
def test_one_kind_of_pair_has_no_curve(same):
    with pytest.raises(DataError, match="genuine and impostor"):
        Roc.of(np.zeros(len(same)), np.array(same, bool))


def test_refuses_damaged_distances():
    with pytest.raises(DataError, match="not finite"):
        Roc.of(np.array([0.1, np.nan]), np.array([True, False]))
    with pytest.raises(DataError, match="do not fit"):
        Roc.of(np.array([0.1, 0.2, 0.3]), np.array([True, False]))
