"""Box geometry against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mien.detection.boxes import areas, overlaps, shift, squares, suppress

corners = st.integers(0, 30)
box = st.tuples(corners, corners, st.integers(0, 12), st.integers(0, 12)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def naive_overlap(a, b, over: str) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    whole = area_a + area_b - shared if over == "union" else min(area_a, area_b)
    return shared / whole if whole > 0 else 0.0


def naive_suppress(boxes, scores, threshold: float, over: str, limit: int | None) -> list[int]:
    order = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))[:limit]
    kept: list[int] = []
    for i in order:
        if all(naive_overlap(boxes[i], boxes[j], over) <= threshold for j in kept):
            kept.append(i)
    return kept


@settings(deadline=None)
@given(
    st.lists(box, max_size=25).map(lambda boxes: boxes * 8),
    st.data(),
    st.sampled_from([0.0, 0.3, 0.45, 0.7]),
    st.sampled_from(["union", "smaller"]),
    st.sampled_from([None, 0, 1, 10]),
)
def test_suppress_is_the_naive_algorithm(boxes, data, threshold, over, limit) -> None:
    scores = data.draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=len(boxes), max_size=len(boxes)))
    array = np.array(boxes, np.float32).reshape(-1, 4)
    kept = suppress(array, np.array(scores, np.float32), threshold, over, limit)
    assert kept.tolist() == naive_suppress(boxes, scores, threshold, over, limit)


@settings(deadline=None)
@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 8), st.just(4)), elements=st.floats(-50, 50, width=32)))
def test_overlaps_are_symmetric_fractions(boxes: np.ndarray) -> None:
    ordered = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
    for over in ("union", "smaller"):
        result = overlaps(ordered, ordered, over)
        assert result.shape == (len(boxes), len(boxes))
        np.testing.assert_allclose(result, result.T)
        assert ((result >= 0) & (result <= 1 + 1e-4)).all()


def test_areas_of_turned_over_boxes_are_zero() -> None:
    assert areas(np.array([[0, 0, 2, 3], [2, 0, 0, 3]], np.float32)).tolist() == [6, 0]


def test_shift_is_relative_to_width_and_height() -> None:
    moved = shift(np.array([[10, 20, 30, 60]], np.float32), np.array([[0.1, 0.1, -0.1, 0.5]], np.float32))
    assert moved[0].tolist() == pytest.approx([12, 24, 28, 80])


def test_squares_keep_centre_and_longer_side() -> None:
    result = squares(np.array([[0, 0, 10, 20], [0, 0, 8, 4]], np.float32))
    assert result.tolist() == [[-5, 0, 15, 20], [0, -2, 8, 6]]
