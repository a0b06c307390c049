from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mien.errors import DataError
from mien.evaluation import area_under_roc


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 1000]))
def test_area_is_that_of_scikit_learn(seed, levels):
    rng = np.random.default_rng(seed)
    positive = np.arange(30) < rng.integers(1, 30)
    scores = rng.integers(0, levels, 30) / levels + 0.2 * positive
    found = area_under_roc(scores, positive, bootstrap=5).value
    assert found == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_the_interval_draws_people_with_all_their_photos():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(20), 2)
    positive = np.tile([True, False], 20)
    scores = rng.normal(size=40) + positive
    interval = area_under_roc(scores, positive, people, bootstrap=100, seed=5).interval
    draws, expected = np.random.default_rng(5), []
    for _ in range(100):
        counts = np.bincount(draws.integers(0, 20, size=20), minlength=20)
        expected.append(roc_auc_score(positive, scores, sample_weight=counts[people]))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])))


def test_both_classes_are_needed():
    with pytest.raises(DataError, match="one kind is absent"):
        area_under_roc(np.array([1.0, 2.0]), np.array([True, True]))
    with pytest.raises(DataError, match="do not fit scores"):
        area_under_roc(np.array([1.0, 2.0]), np.array([True, False]), np.array([0]))
