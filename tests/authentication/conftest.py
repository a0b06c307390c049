from __future__ import annotations

from dataclasses import replace

import pytest
from made_frames import NAMES

from mien.authentication import Attempts, Policy, State, begin
from mien.contract import Contract
from mien.outputs import face_outputs
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Expression


@pytest.fixture(scope="session")
def contract() -> Contract:
    thresholds = ThresholdTable.of(Threshold(0.5, 0.001, "nothing"))
    outputs = face_outputs(2, NAMES, normalized=False)
    return Contract("two-answers-1", 8, ((0.0, 0.0),) * 5, outputs, thresholds, "made in a test", "none")


@pytest.fixture
def start(contract):
    """Begin a challenge at time 0."""

    def make(*asked: Expression, **changes) -> State:
        policy = replace(Policy.recommended(contract), **changes)
        return begin("ada", policy, contract, 0.0, Attempts(), asked=asked)[0]

    return make
