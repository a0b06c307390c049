from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation import average_videos, spread_frames


@given(st.lists(st.sampled_from(["b/1", "a/0", "c/9"]), min_size=1, max_size=30), st.booleans())
def test_a_video_is_the_mean_of_its_frames(videos: list[str], unit_length: bool) -> None:
    points = np.random.default_rng(len(videos)).normal(size=(len(videos), 4))
    names, means = average_videos(points, videos, unit_length=unit_length)
    assert list(names) == sorted(set(videos))
    for name, mean in zip(names, means, strict=True):
        expected = points[[video == name for video in videos]].mean(axis=0)
        expected /= np.linalg.norm(expected) if unit_length else 1
        assert mean == pytest.approx(expected)


def test_a_mean_of_nothing_has_no_length_to_divide_by() -> None:
    means = average_videos(np.array([[1.0, 0.0], [-1.0, 0.0]]), ["a", "a"], unit_length=True)[1]
    assert means.tolist() == [[0.0, 0.0]]


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="do not fit 2 frames"):
        average_videos(np.zeros((3, 2)), ["a", "b"])


@given(st.integers(1, 500), st.integers(1, 50))
def test_frames_are_spread_from_the_first_to_the_last(count: int, wanted: int) -> None:
    chosen = spread_frames(count, wanted)
    assert len(chosen) == min(count, wanted)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == count - 1 or wanted == 1
    gaps = np.diff(chosen)
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1
