from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien import Expression, Mien
from mien.authentication import Attempts, Outcome, Policy, begin, watch
from mien.errors import AuthenticationError


@pytest.fixture(scope="module")
def mien():
    return Mien(threads=1)


@pytest.fixture(scope="module")
def references(mien, examples):
    return mien.analyze(examples / "obama2.jpg")[0].embedding[None]


@pytest.fixture
def state(mien):
    """As no example shows one person neutral and smiling, neutral is not asked for."""
    policy = replace(Policy.recommended(mien.contract), neutral_first=False, hold=2)
    return begin("obama", policy, mien.contract, 100.0, Attempts(), asked=(Expression.HAPPINESS,))[0]


def test_frames_are_watched_until_acceptance_and_no_further(mien, references, state, examples):
    taken = []

    def frames():
        for k, name in enumerate(["biden.jpg", "obama.jpg", "obama.jpg", "biden.jpg", "biden.jpg"]):
            taken.append(name)
            yield 100.1 + k / 10, examples / name

    states = list(watch(mien, frames(), references, state))
    assert [after.outcome for after in states] == [None, None, Outcome.ACCEPTED]
    assert states[-1].counts.other_person == 1
    assert len(taken) == 3
    assert list(watch(mien, frames(), references, states[-1])) == []


def test_frames_pushed_as_bytes(mien, references, state, examples):
    photo = (examples / "obama.jpg").read_bytes()
    (first,) = watch(mien, [(100.5, photo)], references, state)
    (second,) = watch(mien, [(100.6, photo)], references, first)
    assert (first.held, second.outcome) == (1, Outcome.ACCEPTED)


def test_another_model_is_refused(mien, references, state, examples):
    other = replace(state, challenge=replace(state.challenge, model_id="another-1"))
    with pytest.raises(AuthenticationError, match="for model another-1"):
        list(watch(mien, [(100.5, examples / "obama.jpg")], references, other))
    with pytest.raises(AuthenticationError, match="references have 3 numbers"):
        list(watch(mien, [(100.5, examples / "obama.jpg")], np.zeros((1, 3)), state))
