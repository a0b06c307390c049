from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mien import AuthenticationError
from mien.authentication import Policy
from mien.outputs import face_outputs
from mien.runtime import Model
from mien.server.rules import read_rules
from mien.types import Expression


@pytest.fixture(scope="module")
def contract():
    return Model().contract


@pytest.fixture
def written(tmp_path):
    def write(record):
        path = tmp_path / "policy.json"
        path.write_text(record if isinstance(record, str) else json.dumps(record))
        return path

    return write


def test_without_a_file_the_recommended_policy_rules(contract):
    rules = read_rules(None, contract)
    assert rules.policy(contract, None) == Policy.recommended(contract)
    assert rules.policy(contract, 0.3).threshold == 0.3


def test_a_file_changes_what_it_names(contract, written):
    policy = read_rules(written({"expressions": ["happiness"], "count": 1, "time_limit": 9}), contract).policy(
        contract, 0.3
    )
    assert (policy.expressions, policy.count, policy.time_limit) == (("happiness",), 1, 9)
    assert policy.hold == Policy.recommended(contract).hold
    assert policy.threshold == 0.3


def test_the_operators_threshold_is_not_replaced(contract, written):
    assert read_rules(written({"threshold": 0.4}), contract).policy(contract, 0.3).threshold == 0.4


def test_a_lock_out_is_told_when_it_is_the_operators(contract, written):
    assert read_rules(None, contract).lockout == 0
    assert read_rules(written({"lockout": 1e6}), contract).lockout == 1e6


def test_a_model_without_a_threshold_takes_the_operators_or_the_gallerys(contract, written):
    lacking = replace(contract, thresholds=None)
    assert read_rules(written({"threshold": 0.4}), lacking).policy(lacking, None).threshold == 0.4
    rules = read_rules(written({"hold": 5}), lacking)
    assert (rules.policy(lacking, 0.3).threshold, rules.policy(lacking, 0.3).hold) == (0.3, 5)
    with pytest.raises(AuthenticationError, match="calibrate, or give a policy with one"):
        rules.policy(lacking, None)


def test_a_model_without_neutral_is_asked_without(contract, written):
    lacking = replace(contract, outputs=face_outputs(128, (Expression.HAPPINESS, Expression.SURPRISE)))
    assert not read_rules(written({"neutral_first": False}), lacking).policy(lacking, None).neutral_first


@pytest.mark.parametrize("changes", [{"thresholds": None}, {}])
def test_a_model_without_expressions_has_rules_but_no_policy(contract, written, changes):
    lacking = replace(contract.without("expression"), **changes)
    for rules in (read_rules(None, lacking), read_rules(written({"threshold": 0.4, "hold": 5}), lacking)):
        with pytest.raises(AuthenticationError, match="no expression output"):
            rules.policy(lacking, 0.3)
    with pytest.raises(AuthenticationError, match="hold"):
        read_rules(written({"hold": 0}), lacking)
    with pytest.raises(AuthenticationError, match=r"policy.json asks for expressions, .* leave them out"):
        read_rules(written({"threshold": 0.4, "expressions": ["happiness"], "count": 1}), lacking)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ("{", "is no policy"),
        ([], "is no policy"),
        ("null", "is no policy"),
        ({"hold": "long"}, "policy.json: hold is 'long'; give a whole number"),
        ({"count": 1.5}, "count is 1.5"),
        ({"count": True}, "count is True"),
        ({"neutral_first": "no"}, "neutral_first is 'no'; give true or false"),
        ({"threshold": None}, "threshold is None; give a number"),
        ({"time_limit": 0}, "time_limit is 0"),
        ({"lockout": 10**400}, "between 0 and 2592000"),
        ({"lockout": 31 * 86400}, "between 0 and 2592000"),
        ({"count": 1000000000}, "count is 1e.09; give a value between 1 and 20"),
        ({"count": 10**4000}, "count is inf; give a value between 1 and 20"),
        ({"hold": 1000000000}, "between 1 and 1000"),
        ({"attempts": 1000000000}, "between 1 and 1000"),
        ({"time_limit": 1e9}, "between 0 and 3600"),
        ({"max_gap": 1e9}, "between 0 and 3600"),
        ({"expressions": ["glee"]}, "is no policy"),
        ({"expressions": 7}, "is no policy"),
        ({"speed": 1}, "unknown field speed"),
        ({"hold": 0}, "hold"),
        ({"expressions": ["contempt"], "count": 1}, "contempt"),
    ],
)
def test_what_is_no_policy_is_one_sentence(contract, written, record, sentence):
    with pytest.raises(AuthenticationError, match=sentence):
        read_rules(written(record), contract)


def test_a_file_that_is_not_there(contract, tmp_path):
    with pytest.raises(AuthenticationError, match="is no policy"):
        read_rules(tmp_path / "none.json", contract)


def test_a_policy_takes_numpys_numbers():
    policy = Policy(threshold=np.float32(0.5), count=np.int64(1), expressions=(Expression.HAPPINESS,))
    assert (type(policy.threshold), type(policy.count)) == (float, int)
    with pytest.raises(AuthenticationError, match="give a whole number"):
        Policy(threshold=0.5, count=np.bool_(True))
