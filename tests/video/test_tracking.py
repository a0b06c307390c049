from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.types import Box, Expression, ExpressionScores, Face
from mien.video import Timeline, Tracker, people

NAMES = (Expression.NEUTRAL, Expression.HAPPINESS)
ADA, BOB = (0.0, 0.0), (1.0, 0.0)


def face(who=ADA, at=0.0, *, happy=0.0, size=100.0, score=1.0, shift=0.0) -> Face:
    embedding = None if who is None else np.array(who, np.float32) + np.float32(shift)
    scores = ExpressionScores(NAMES, (1 - happy, happy))
    return Face(Box(at, 0, at + size, size), score, None, True, embedding, scores)


def numbers(tracker, time, *faces):
    return [track.number for track in tracker.update(time, faces)]


def test_two_people_who_pass_each_other_keep_their_tracks():
    tracker = Tracker(0.5)
    for k in range(21):
        ada, bob = face(ADA, 20.0 * k), face(BOB, 400 - 20.0 * k)
        shown = [ada, bob] if k % 2 else [bob, ada]
        assert numbers(tracker, k / 10, *shown) == ([1, 2] if k == 0 else [2, 1] if k % 2 else [1, 2])


def test_a_cut_to_another_person_in_the_same_place_begins_a_track():
    tracker = Tracker(0.5)
    assert numbers(tracker, 0.0, face(ADA)) == [1]
    assert numbers(tracker, 0.1, face(BOB)) == [2]
    assert numbers(tracker, 0.2, face(ADA)) == [1]


def test_a_blurred_face_in_its_place_and_a_face_that_jumps_go_on():
    tracker = Tracker(0.5)
    assert numbers(tracker, 0.0, face(ADA)) == [1]
    assert numbers(tracker, 0.1, face((0.7, 0.0))) == [1]  # 1.4 times the threshold, same place
    tracker = Tracker(0.5)
    assert numbers(tracker, 0.0, face(ADA)) == [1]
    assert numbers(tracker, 0.1, face(ADA, at=900)) == [1]
    assert numbers(tracker, 0.2, face((0.6, 0.0), at=300)) == [2]  # neither near nor alike


def test_a_face_hidden_for_long_begins_a_track_of_the_same_person():
    tracker = Tracker(0.5)
    numbers(tracker, 0.0, face(ADA))
    assert numbers(tracker, 0.9, face(ADA)) == [1]
    assert numbers(tracker, 1.5) == []
    assert numbers(tracker, 2.0, face(ADA)) == [2]
    assert people(tracker.tracks, 0.5) == {1: 1, 2: 1}
    assert people(tracker.tracks, None) == {1: 1, 2: 2}


@pytest.mark.parametrize("pause", [1.001, 2.0, 60.0])
def test_however_seldom_one_looks_a_face_that_stays_keeps_its_track(pause):
    tracker = Tracker(0.5)
    for k in range(5):
        assert numbers(tracker, k * pause, face(ADA), face(BOB, at=500)) == [1, 2]
    assert numbers(tracker, 5 * pause, face(BOB, at=500)) == [2]
    assert numbers(tracker, 6 * pause, face(ADA), face(BOB, at=500)) == [3, 2]
    assert people(tracker.tracks, 0.5) == {1: 1, 2: 2, 3: 1}


def test_alike_but_seen_together_are_two_people():
    tracker = Tracker(0.5)
    for k in range(12):
        numbers(tracker, k / 10, face(ADA), face(ADA, at=500))
    assert people(tracker.tracks, 0.5) == {1: 1, 2: 2}
    tracker = Tracker(0.5)
    numbers(tracker, 0.0, face(ADA), face(ADA, at=500))
    assert people(tracker.tracks, 0.5) == {1: 1, 2: 1}  # once is not enough
    numbers(tracker, 2.0, face(ADA), face(ADA, at=500))
    assert people(tracker.tracks, 0.5) == {1: 1, 2: 2}


def test_without_embeddings_the_place_decides():
    tracker = Tracker(None)
    assert numbers(tracker, 0.0, face(None), face(None, at=300)) == [1, 2]
    assert numbers(tracker, 0.1, face(None, at=310), face(None, at=20)) == [2, 1]
    assert numbers(tracker, 0.2, face(None, at=700)) == [3]
    assert tracker.tracks[0].embedding is None


def test_the_identity_is_the_mean_of_the_best_frames():
    tracker = Tracker(5.0)
    for k in range(30):
        good = k % 2 == 0  # 15 good ones; then the best of the others
        numbers(tracker, k / 10, face(ADA, size=200 if good else 100, shift=0.0 if good else 1.0, score=1 - k / 1000))
    (track,) = tracker.tracks
    assert track.frames == 30
    assert track.embedding == pytest.approx([1 / 16, 1 / 16])


def test_expressions_are_smoothed_over_time_not_frames():
    def smoothed(rate):
        tracker = Tracker(0.5)
        numbers(tracker, 0.0, face(happy=0.0))
        for k in range(1, rate + 1):
            numbers(tracker, k / rate, face(happy=1.0))
        return tracker.tracks[0].smoothed_expression["happiness"]

    assert smoothed(10) == pytest.approx(1 - exp(-1 / 0.3))
    assert smoothed(50) == pytest.approx(smoothed(10))


def test_a_single_wrong_frame_does_not_show():
    tracker = Tracker(0.5)
    for k in range(20):
        numbers(tracker, k / 10, face(happy=float(k == 10)))
        assert tracker.tracks[0].smoothed_expression.top is Expression.NEUTRAL


faces = st.lists(
    st.builds(face, st.sampled_from([ADA, BOB, (5.0, 5.0)]), st.floats(0, 900), happy=st.floats(0, 1)), max_size=4
)


@given(st.lists(faces, max_size=15))
def test_each_face_has_a_track_of_its_own(frames):
    tracker = Tracker(0.5)
    for k, shown in enumerate(frames):
        given_tracks = numbers(tracker, k / 5, *shown)
        assert len(given_tracks) == len(set(given_tracks)) == len(shown)
    assert sum(track.frames for track in tracker.tracks) == sum(map(len, frames))
    assert [track.number for track in tracker.tracks] == list(range(1, len(tracker.tracks) + 1))
    groups = people(tracker.tracks, 0.5)
    assert set(groups) == {track.number for track in tracker.tracks}
    assert set(groups.values()) == set(range(1, len(set(groups.values())) + 1))


@given(st.integers(0, 3000), st.sampled_from([2, 8, 64]))
def test_a_timeline_is_bounded_and_keeps_the_mean(count, capacity):
    timeline = Timeline(capacity)
    values = np.random.default_rng(count).random((count, 2))
    for k in range(count):
        timeline.add(float(k), values[k])
    points = timeline.points
    assert len(points) <= capacity
    times = [time for time, _ in points]
    assert times == sorted(times)
    if count and count <= capacity - 1:
        np.testing.assert_array_equal([value for _, value in points], values)
    if count > capacity and count & (count - 1) == 0:  # all points stand for as many values
        assert np.mean([value for _, value in points], axis=0) == pytest.approx(values.mean(axis=0))
