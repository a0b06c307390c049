from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from made_frames import BOX, NAMES, frames, scores, seen

from mien.authentication import (
    Outcome,
    Reason,
    State,
    Status,
    advance,
    audit_of,
    end,
    observe,
    result_of,
)
from mien.errors import AuthenticationError, MissingOutputError
from mien.types import Face

N, H, S = NAMES


def run(state, observations):
    for observation in observations:
        state = advance(state, observation)
    return state


def test_the_client_sees_prompt_progress_and_time(start):
    state = run(start(H, hold=4), frames(N, N, N))
    result = result_of(state, 5.0)
    assert (result.status, result.prompt, result.step, result.steps) == (Status.RUNNING, N, 0, 2)
    assert (result.progress, result.seconds_left, result.reason) == (0.75, 15.0, None)


def test_acceptance(start):
    result = result_of(run(start(H), frames(N, N, N, H, H, H)), 1.0)
    assert (result.status, result.prompt, result.step, result.reason) == (Status.ACCEPTED, None, 2, None)


def test_the_client_cannot_tell_a_wrong_person_from_a_wrong_expression(start):
    wrong_person = end(run(start(H), frames(*[(seen(N, distance=0.6),)] * 9)), 30.0)
    wrong_expression = end(run(start(H), frames(*[S] * 9)), 30.0)
    assert wrong_person.outcome is wrong_expression.outcome is Outcome.EXPIRED
    assert result_of(wrong_person, 30.0) == result_of(wrong_expression, 30.0)
    assert result_of(wrong_person, 30.0).reason is Reason.NOT_COMPLETED
    assert audit_of(wrong_person).counts != audit_of(wrong_expression).counts


@pytest.mark.parametrize("picture", [(), (seen(N), seen(N))])
def test_a_camera_that_sees_no_single_face_is_told(start, picture):
    state = end(run(start(H), frames(*[picture] * 9)), 3.0)
    assert state.outcome is Outcome.ABANDONED
    assert result_of(state, 3.0).reason is Reason.NO_SINGLE_FACE


def test_the_audit_holds_figures_but_no_embedding(start):
    embedding = (0.123456, 0.0)
    state = run(start(H), frames((seen(N, embedding=embedding, distance=0.25),), (), N))
    record = json.loads(audit_of(state).to_json())
    assert set(record) == {field.name for field in fields(audit_of(state))}
    assert (record["asked"], record["nearest"], record["farthest"]) == (["neutral", "happiness"], 0.1, 0.25)
    assert record["counts"]["no_face"] == 1
    assert "0.123456" not in json.dumps(record)
    assert "embedding" not in json.dumps(record)


def test_an_ended_state_holds_no_embedding(start):
    state = run(start(H), frames(*[(seen(N, embedding=(0.123456, 0.0)),)] * 2))
    assert "0.123456" in state.to_json()
    assert "0.123456" not in end(state, 1.0).to_json()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"version": 1}', '{"version": 1, "policy": 3}'])
def test_a_damaged_state_is_one_sentence(text):
    with pytest.raises(AuthenticationError, match="cannot be read"):
        State.from_json(text)


def test_a_state_of_another_version_is_refused(start):
    record = json.loads(start(H).to_json()) | {"version": 2}
    with pytest.raises(AuthenticationError, match="version 2"):
        State.from_json(json.dumps(record))


def face(embedding, name=N) -> Face:
    return Face(BOX, 1.0, None, True, embedding, scores(name))


def test_a_frame_is_compared_with_the_nearest_reference():
    references = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    seen_frame = observe(
        1.5, [face(np.array([3.0, 3.0], np.float32)), face(np.array([0.0, 2.0], np.float32))], references
    )
    assert seen_frame.time == 1.5
    assert [found.distance for found in seen_frame.faces] == [1.0, 2.0]
    assert observe(1.5, [], references).faces == ()


def test_references_that_do_not_fit_are_refused():
    good = face(np.zeros(2, np.float32))
    for references in (np.zeros((0, 2)), np.zeros(2), np.zeros((1, 3))):
        with pytest.raises(AuthenticationError, match="references"):
            observe(0.0, [good], references)
    with pytest.raises(AuthenticationError, match="references"):
        observe(0.0, [], np.zeros((0, 2)))  # a camera without a face must not hide it
    with pytest.raises(MissingOutputError, match="no identity output"):
        observe(0.0, [face(None)], np.zeros((1, 2)))
