from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import pairwise
from math import dist, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_frames import BOX, NAMES, frames, scores, seen

from mien.authentication import Attempts, Observation, Outcome, Policy, SeenFace, State, advance, begin, end
from mien.authentication.machine import shows
from mien.contract import Contract
from mien.outputs import face_outputs
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Box, Expression, ExpressionScores

N, H, S = NAMES
POLICY = Policy(threshold=0.5, hold=2, time_limit=10.0, max_gap=0.5)
THRESHOLDS = ThresholdTable.of(Threshold(0.5, 0.01, ""))
CONTRACT = Contract("two-answers-1", 8, ((0.0, 0.0),) * 5, face_outputs(2, NAMES), THRESHOLDS, "", "")

# Frames that are often right, so that sequences are accepted, and wrong in every way, so that some are nearly accepted.
boxes = st.sampled_from([BOX, Box(110, 105, 210, 225), Box(400, 100, 500, 220), Box(5, 5, 5, 5)])
embeddings = st.sampled_from([(0.0, 0.0), (0.3, 0.0), (0.6, 0.0), (nan, 0.0)])
distances = st.sampled_from([0.1, 0.1, 0.1, 0.5, 0.51, nan])
expressions = st.sampled_from([scores(name, p) for name in NAMES for p in (0.9, 0.9, 0.9, 0.6, 0.45)])
right_faces = st.builds(seen, st.sampled_from(NAMES))
any_faces = st.builds(SeenFace, boxes, embeddings, distances, expressions)
pictures = st.one_of(
    right_faces.map(lambda face: (face,)),
    right_faces.map(lambda face: (face,)),
    any_faces.map(lambda face: (face,)),
    st.lists(any_faces, max_size=3).map(tuple),
)
times = st.sampled_from([0.1, 0.1, 0.1, 0.1, 0.4, 0.6, 0.0, -0.2, 3.0])
policies = st.builds(
    Policy,
    threshold=st.just(0.5),
    count=st.integers(1, 2),
    neutral_first=st.booleans(),
    hold=st.integers(1, 3),
    time_limit=st.sampled_from([0.5, 2.0, 10.0]),
    max_gap=st.sampled_from([0.0, 0.15, 0.5]),
)


@st.composite
def sequences(draw):
    """Runs of one picture, as a camera gives them, in the order of the prompts as often as not."""
    observations, now = [], draw(st.sampled_from([0.0, 0.1, -0.3]))
    for wish in draw(st.lists(st.sampled_from([N, H, S, None]), max_size=9)):
        for _ in range(draw(st.integers(1, 4))):
            faces = (seen(wish),) if wish is not None else draw(pictures)
            observations.append(Observation(now, faces))
            now += draw(times)
    return observations


def begun(policy: Policy, asked=None) -> State:
    return begin("ada", policy, CONTRACT, 0.0, Attempts(), asked=asked)[0]


def run(state: State, observations) -> State:
    return reduce(advance, observations, state)


def is_right(frame: Observation, policy: Policy) -> bool:
    return len(frame.faces) == 1 and frame.faces[0].distance <= policy.threshold


def is_shown(frame: Observation, wanted: Expression, policy: Policy) -> bool:
    values = frame.faces[0].expression
    best_other = max(values[name] for name in values if name != wanted)
    return values[wanted] >= policy.probability and values[wanted] >= best_other + policy.margin - 1e-12


def continues(a: Observation, b: Observation, policy: Policy) -> bool:
    """Both are right frames; whether they can be one face."""
    (p,), (q,) = a.faces, b.faces
    width = max(0, min(p.box.right, q.box.right) - max(p.box.left, q.box.left))
    height = max(0, min(p.box.bottom, q.box.bottom) - max(p.box.top, q.box.top))
    union = p.box.area + q.box.area - width * height
    near = dist(p.embedding, q.embedding) <= policy.threshold
    return b.time - a.time <= policy.max_gap and near and union > 0 and width * height / union >= policy.overlap


def may_be_accepted(observations, policy: Policy, prompts) -> bool:
    """Written from the promise, not from the machine: search all ways to assign frames to prompts.

    Of the frames in time and in order of time: for each prompt ``hold`` frames in direct succession, prompts in order,
    every frame of them right and showing the prompt, and all right frames between the first and the last of them one
    continuous face.
    """
    kept: list[Observation] = []
    for frame in observations:
        if frame.time >= 0 and (not kept or frame.time > kept[-1].time) and frame.time <= policy.time_limit:
            kept.append(frame)

    def windows(prompt, after):
        for i in range(after, len(kept) - policy.hold + 1):
            part = kept[i : i + policy.hold]
            if all(is_right(frame, policy) and is_shown(frame, prompt, policy) for frame in part):
                yield i

    def search(index, after, first):
        if index == len(prompts):
            right = [frame for frame in kept[first:after] if is_right(frame, policy)]
            return all(continues(a, b, policy) for a, b in pairwise(right))
        return any(
            search(index + 1, i + policy.hold, i if first is None else first) for i in windows(prompts[index], after)
        )

    return search(0, 0, None)


@given(policies, sequences())
def test_nothing_is_accepted_that_the_promise_does_not_allow(policy, observations):
    state = begun(policy)
    final = run(state, observations)
    if final.outcome is Outcome.ACCEPTED:
        assert may_be_accepted(observations, policy, state.challenge.prompts)


@given(sequences())
def test_what_the_promise_allows_is_accepted(observations):
    # The converse, where the face never gets lost: then no frame is lost on a restart, and both searches agree.
    policy = replace(POLICY, max_gap=10.0, time_limit=20.0)
    observations = [frame for frame in observations if is_right(frame, policy) and frame.faces == (seen_like(frame),)]
    state = begun(policy)
    accepted = run(state, observations).outcome is Outcome.ACCEPTED
    assert accepted == may_be_accepted(observations, policy, state.challenge.prompts)


def seen_like(frame: Observation) -> SeenFace:
    return SeenFace(BOX, (0.0, 0.0), 0.1, frame.faces[0].expression)


@given(policies, st.lists(st.sampled_from([0.05, 0.1]), min_size=12, max_size=12))
def test_who_follows_the_prompts_is_accepted(policy, gaps):
    state = begun(policy := replace(policy, time_limit=10.0, max_gap=0.5))
    now = 0.0
    for gap in gaps:
        if state.prompt is None:
            break
        now += gap
        state = advance(state, Observation(now, (seen(state.prompt),)))
    assert state.outcome is Outcome.ACCEPTED
    assert state.counts.counted == policy.hold * len(state.challenge.prompts)
    assert state.anchor is None  # no embedding is kept


@given(policies, sequences())
def test_the_answer_survives_a_restart_between_any_frames(policy, observations):
    state = stored = begun(policy)
    for frame in observations:
        state = advance(state, frame)
        stored = advance(State.from_json(stored.to_json()), frame) if storable(stored) else stored
        if not storable(state):
            return
        assert stored == state


def storable(state: State) -> bool:
    """The test's NaN embeddings are beyond what a network gives; they cannot be stored."""
    return state.anchor is None or all(value == value for value in state.anchor.embedding)


@given(policies, sequences(), sequences())
def test_an_end_is_final_and_no_sooner_than_the_last_frame(policy, observations, more):
    state = end(run(begun(policy), observations), 3.0)
    assert state.outcome is not None
    assert run(state, more) is state
    assert end(state, 99.0) is state


@given(policies, sequences())
def test_frames_after_the_time_limit_are_refused(policy, observations):
    late = [replace(frame, time=frame.time + policy.time_limit + 1.0) for frame in observations]
    assert run(begun(policy), late).outcome in (None, Outcome.EXPIRED)
    assert run(begun(policy), [f for f in late if f.time > policy.time_limit]).counts.counted == 0


@given(policies, sequences())
def test_progress_is_what_the_counts_say(policy, observations):
    state = begun(policy)
    for frame in observations:
        before, state = state, advance(state, frame)
        assert 0 <= state.held < policy.hold
        assert state.step <= before.step + 1
        assert state.step <= len(state.challenge.prompts)
        assert (state.outcome is Outcome.ACCEPTED) == (state.step == len(state.challenge.prompts))
        if state.anchor is None and state.outcome is None:
            assert (state.step, state.held) == (0, 0)


def ask(*asked, **changes) -> State:
    return begun(replace(POLICY, **changes), asked)


def test_neutral_then_the_expression():
    state = run(ask(H), frames(N, N, H))
    assert (state.step, state.held, state.outcome) == (1, 1, None)
    final = advance(state, frames(H, start=0.3)[0])
    assert (final.outcome, final.ended) == (Outcome.ACCEPTED, pytest.approx(0.3))


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param([H] * 20, id="a smile without neutral"),
        pytest.param([N] * 20, id="a still neutral face"),
        pytest.param([H, H, H, N, N, N], id="the wrong order"),
        pytest.param([N, H] * 10, id="never held"),
        pytest.param([N, N, H, N, H, N, H], id="the expression never held"),
        pytest.param([N, N, S, S, S], id="another expression"),
        pytest.param([N, N, *[(seen(H, distance=0.51),)] * 6], id="another person smiles"),
        pytest.param([*[(seen(N, distance=0.51),)] * 6, H, H, H], id="another person is neutral"),
        pytest.param([N, N, *[(seen(H), seen(H))] * 6], id="two faces"),
        pytest.param([N, N, *[(seen(H, box=Box(400, 100, 500, 220)),)] * 6], id="the face jumps"),
        pytest.param([N, N, *[(seen(H, embedding=(0.6, 0.0)),)] * 6], id="the face changes"),
        pytest.param([N, N, *[()] * 6, H, H, H], id="the face goes away for 0.7 s"),
        pytest.param([N, N, *[(seen(H, probability=0.45),)] * 6], id="a faint smile"),
    ],
)
def test_what_is_not_accepted(shown):
    assert run(ask(H), frames(*shown)).outcome is None


def test_a_face_lost_for_a_moment_goes_on():
    state = run(ask(H), frames(N, N, (), (), H, (seen(H), seen(N)), H, H))
    assert state.outcome is Outcome.ACCEPTED
    assert (state.counts.no_face, state.counts.several_faces, state.counts.counted) == (2, 1, 5)


def test_a_pause_between_frames_begins_anew():
    state = run(ask(H), frames(N, N))
    late = run(state, frames(H, H, H, start=0.7))
    assert (late.step, late.restarts, late.outcome, late.counts.jumps) == (0, 1, None, 1)
    assert run(state, frames(H, H, start=0.6)).outcome is Outcome.ACCEPTED


def test_a_frame_sent_twice_counts_once():
    (neutral,) = frames(N, start=1.0)
    earlier = replace(neutral, time=0.5)
    assert run(ask(H), [neutral, neutral, earlier]).held == 1


def test_a_lost_face_begins_anew():
    state = run(ask(H), frames(N, N, *[()] * 6))
    assert (state.step, state.anchor, state.restarts) == (0, None, 1)
    assert run(state, frames(N, N, H, H, start=1.0)).outcome is Outcome.ACCEPTED


def test_distances_are_kept_for_the_audit():
    state = run(ask(H), frames((seen(N, distance=0.2),), (seen(N, distance=0.9),), (seen(N, distance=nan),)))
    assert (state.nearest, state.farthest, state.counts.other_person) == (0.2, 0.9, 2)


def test_the_margin_decides_between_close_expressions():
    close = ExpressionScores(NAMES, (0.0, 0.55, 0.45))
    assert shows(close, H, replace(POLICY, margin=0.05))
    assert not shows(close, H, replace(POLICY, margin=0.2))
    assert not shows(close, S, replace(POLICY, margin=0.0, probability=0.0))
    assert not shows(close, Expression.FEAR, POLICY)
