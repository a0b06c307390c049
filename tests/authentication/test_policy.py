from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from made_frames import NAMES

from mien.authentication import Attempts, Policy, begin, read_policy_fields
from mien.errors import AuthenticationError
from mien.outputs import face_outputs
from mien.types import Expression

N, H, S = NAMES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", nan),
        ("threshold", -1),
        ("threshold", inf),
        ("probability", 1.1),
        ("margin", -0.1),
        ("overlap", nan),
        ("hold", 0),
        ("count", 0),
        ("attempts", 0),
        ("time_limit", inf),
        ("lockout", -1),
        ("expressions", ()),
        ("expressions", (N, H)),
        ("expressions", (H, H)),
        ("expressions", (H,)),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(AuthenticationError):
        Policy(**{"threshold": 0.5, name: value})


def test_the_recommended_policy_takes_what_the_model_has(contract):
    policy = Policy.recommended(contract)
    assert (policy.threshold, policy.expressions, policy.count) == (0.5, (H, S), 2)
    smiling = replace(contract, outputs=face_outputs(2, (N, H)))
    assert (Policy.recommended(smiling).expressions, Policy.recommended(smiling).count) == ((H,), 1)


def test_what_is_given_comes_before_what_is_recommended(contract):
    policy = Policy.recommended(contract, threshold=0.4, expressions=(S,), count=1)
    assert (policy.threshold, policy.expressions, policy.count) == (0.4, (S,), 1)
    lacking = replace(contract, thresholds=None)
    assert Policy.recommended(lacking, threshold=0.4) == Policy.recommended(contract, threshold=0.4)
    with pytest.raises(AuthenticationError, match="calibrate, or give a policy with one"):
        Policy.recommended(lacking)


def test_no_more_expressions_are_asked_than_are_given(contract, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text('{"expressions": ["happiness"]}')
    fields = read_policy_fields(path)
    assert fields == {"expressions": (H,)}
    assert Policy.recommended(contract, **fields).count == 1


def test_a_model_that_cannot_answer_is_refused(contract):
    for lacking in (
        replace(contract, thresholds=None),
        contract.without("embedding"),
        contract.without("expression"),
        replace(contract, outputs=face_outputs(2, (H, S))),
    ):
        with pytest.raises(AuthenticationError):
            Policy.recommended(lacking)
    with pytest.raises(AuthenticationError, match="no expression output; use one with expressions"):
        Policy.recommended(replace(contract.without("expression"), thresholds=None))
    policy = Policy(threshold=0.5, expressions=(H, Expression.FEAR))
    with pytest.raises(AuthenticationError, match="does not know fear"):
        begin("ada", policy, contract, 0.0, Attempts())
