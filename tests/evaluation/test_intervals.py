from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mien.errors import DataError
from mien.evaluation import bootstrap_items, bootstrap_people, percentile_interval, wilson


@given(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.9, 0.95, 0.99])
)
def test_wilson_agrees_with_scipy(counts, level):
    k, n = counts
    ours, theirs = wilson(k, n, level), binomtest(k, n).proportion_ci(level, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= ours.low <= k / n <= ours.high <= 1


@pytest.mark.parametrize("counts", [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(counts):
    with pytest.raises(DataError):
        wilson(*counts)


def test_bootstrap_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    interval = bootstrap_items(lambda items: values[items].mean(), 400, replicates=2000)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert interval == bootstrap_items(lambda items: values[items].mean(), 400, replicates=2000)


def test_people_are_drawn_with_replacement():
    draws = bootstrap_people(lambda counts: counts.astype(float), 50, replicates=400)
    assert draws.shape == (400, 50)
    assert (draws.sum(axis=1) == 50).all()
    assert draws.mean() == 1
    assert np.mean(draws == 0) == pytest.approx(np.exp(-1), abs=0.02)


def test_undefined_replicates_are_left_out():
    assert percentile_interval(np.array([1.0, np.nan, 1.0])).low == 1
    with pytest.raises(DataError, match="too few"):
        percentile_interval(np.array([np.nan]))
