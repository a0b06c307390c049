from __future__ import annotations

import json

import pytest

from mien import AuthenticationError
from mien.authentication import Policy
from mien.runtime import Model
from mien.server.rules import read_rules


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
    assert rules.policy == Policy.recommended(contract)
    assert rules.with_threshold(0.3).threshold == 0.3


def test_a_file_changes_what_it_names(contract, written):
    rules = read_rules(written({"expressions": ["happiness"], "count": 1, "time_limit": 9}), contract)
    assert (rules.policy.expressions, rules.policy.count, rules.policy.time_limit) == (("happiness",), 1, 9)
    assert rules.policy.hold == Policy.recommended(contract).hold
    assert rules.with_threshold(0.3).threshold == 0.3


def test_the_operators_threshold_is_not_replaced(contract, written):
    assert read_rules(written({"threshold": 0.4}), contract).with_threshold(0.3).threshold == 0.4


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ("{", "is no policy"),
        ([], "is no policy"),
        ("null", "is no policy"),
        ({"hold": "long"}, "is no policy"),
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
