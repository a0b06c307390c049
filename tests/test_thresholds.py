from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import ModelError
from mien.thresholds import Threshold, ThresholdTable, far_of_pair

FARS = (1e-2, 1e-3, 1e-4, 1e-5)
TABLE = ThresholdTable(
    tuple(Threshold(distance, far, "people") for distance, far in zip((1.2, 1.1, 0.9, 0.6), FARS, strict=True)), 1e-3
)
RATES = st.floats(1e-9, 0.999)


def test_the_rows_are_answered_as_they_are():
    for row in TABLE.rows:
        found = TABLE.at_far(row.far)
        assert (found.distance, found.extrapolated, found.source) == (row.distance, False, "people")
    assert TABLE.default.distance == 1.1


@given(st.floats(1e-5, 1e-2))
def test_between_rows_the_distance_is_linear_in_the_logarithm(far):
    expected = np.interp(np.log10(far), np.log10(FARS[::-1]), [0.6, 0.9, 1.1, 1.2])
    found = TABLE.at_far(far)
    assert found.distance == pytest.approx(expected, abs=1e-9)
    assert not found.extrapolated


def test_beyond_the_table_an_answer_is_labelled():
    below, above = TABLE.at_far(1e-6), TABLE.at_far(0.5)
    assert (below.distance, below.extrapolated) == (pytest.approx(0.3), True)
    assert below.source == "extrapolated from FAR 0.0001 and 1e-05: no impostor pairs stand behind it"
    assert (above.distance, above.extrapolated) == (1.2, True)
    assert TABLE.at_far(1e-9).distance == 0.0


@given(RATES, RATES)
def test_a_smaller_rate_has_no_larger_distance(a, b):
    low, high = sorted((a, b))
    assert TABLE.at_far(low).distance <= TABLE.at_far(high).distance + 1e-12


def test_one_row_says_nothing_of_smaller_rates():
    one = ThresholdTable.of(Threshold(10.0, 0.01, "nothing"))
    assert one.at_far(0.01).distance == one.at_far(0.3).distance == 10.0
    with pytest.raises(ModelError, match=r"FAR 0\.01 alone, and none for 1e-05 follows from it; run `mien calibrate`"):
        one.for_gallery(1000, 0.01)


@given(st.integers(1, 10**6), st.floats(1e-6, 0.5))
def test_many_comparisons_need_a_smaller_rate(samples, fpir):
    far = far_of_pair(samples, fpir)
    assert 1 - (1 - far) ** samples == pytest.approx(fpir, rel=1e-3)
    assert fpir / samples <= far * (1 + 1e-12)


def test_strangers_are_named_as_often_as_was_asked():
    """Oracle: draw impostor distances from a known distribution, and compare strangers with galleries of that size."""
    rng = np.random.default_rng(0)
    fars = (1e-2, 1e-3, 1e-4, 1e-5)
    normal = {1e-2: 2.326348, 1e-3: 3.090232, 1e-4: 3.719016, 1e-5: 4.264891}  # upper quantiles
    table = ThresholdTable(tuple(Threshold(1.4 - 0.1 * normal[far], far, "drawn") for far in fars), 1e-3)
    for samples in (10, 100, 1000):
        derived = table.for_gallery(samples, 0.05)
        nearest = np.array([rng.normal(1.4, 0.1, samples).min() for _ in range(20_000)])
        assert (nearest <= derived.distance).mean() == pytest.approx(0.05, abs=0.01)
        assert not derived.extrapolated


@pytest.mark.parametrize("far", [0.0, 1.0, -0.1, float("nan")])
def test_a_rate_that_is_none_is_refused(far):
    with pytest.raises(ModelError, match="give a rate between 0 and 1"):
        TABLE.at_far(far)
    with pytest.raises(ModelError, match="give a rate between 0 and 1"):
        far_of_pair(10, far)


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="give at least 1"):
        far_of_pair(0, 0.01)


@pytest.mark.parametrize(
    ("rows", "default", "message"),
    [
        ([(1.0, 0.01), (0.9, 0.02)], 0.01, "not sorted"),
        ([(1.0, 0.01), (1.1, 0.001)], 0.01, "not sorted"),
        ([(1.0, 0.01)], 0.001, "no threshold has the default FAR of 0.001"),
        ([(-1.0, 0.01)], 0.01, "cannot be"),
        ([(float("nan"), 0.01)], 0.01, "cannot be"),
        ([(1.0, 1.5)], 1.5, "cannot be"),
        ([], 0.01, "no threshold has"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(rows, default, message):
    with pytest.raises(ModelError, match=message):
        ThresholdTable(tuple(Threshold(distance, far, "") for distance, far in rows), default)
