from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mien.comparison.estimates import detectable, holm, over_seeds_and_samples, p_value, same_within

VALUES = st.lists(st.floats(-10, 10), min_size=3, max_size=20).filter(lambda values: np.std(values) > 1e-3)


@given(VALUES)
def test_the_p_value_is_scipys(values: list[float]) -> None:
    assert p_value(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_larger_in_the_same_order_and_at_most_bonferronis(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(new >= old for new, old in zip(adjusted, values, strict=True))
    assert all(new <= min(1, len(values) * old) + 1e-12 for new, old in zip(adjusted, values, strict=True))
    order = np.argsort(values)
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_a_difference_of_the_detectable_size_is_found_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    sizes, found = [], 0
    for _ in range(2_000):
        noise = random.normal(size=20)
        sizes.append(detectable(list(noise)))
    true = float(np.mean(sizes))
    for _ in range(2_000):
        found += p_value(list(random.normal(true, 1, size=20))) < 0.05
    assert found / 2_000 == pytest.approx(0.8, abs=0.04)


def test_two_one_sided_tests_agree_on_the_margin() -> None:
    values = list(np.random.default_rng(1).normal(0.1, 1, size=15))
    margin = same_within(values)
    for factor, equivalent in ((1.01, True), (0.99, False)):
        above = stats.ttest_1samp(values, -factor * margin, alternative="greater").pvalue
        below = stats.ttest_1samp(values, factor * margin, alternative="less").pvalue
        assert (max(above, below) < 0.05) == equivalent


def test_test_samples_add_to_what_seeds_leave_open() -> None:
    """With one true difference a sample, all seeds alike, seeds alone would be sure of nonsense."""
    random = np.random.default_rng(2)
    each = random.normal(0.0, 1.0, size=400)
    found = over_seeds_and_samples(np.tile(each, (10, 1)))
    low, high = stats.norm.interval(0.95, each.mean(), each.std() / 20)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)
    assert found.n == 10
