from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_frames import NAMES

from mien.authentication import Attempts, Policy, begin
from mien.authentication.challenge import draw
from mien.errors import AuthenticationError, LockedError
from mien.types import Expression

N, H, S = NAMES
gaps = st.lists(st.integers(0, 200), max_size=40)


@given(gaps, st.integers(1, 4), st.integers(0, 300))
def test_without_success_no_more_than_the_allowed_challenges_begin_in_a_lockout(contract, gaps, allowed, lockout):
    policy = Policy(threshold=0.5, attempts=allowed, lockout=lockout)
    attempts, now, begun, until = Attempts(), 0.0, [], 0.0
    for gap in gaps:
        now += gap
        try:
            attempts = begin("ada", policy, contract, now, attempts)[1]
        except LockedError:
            assert now < until
            continue
        begun.append(now)
        assert now >= until
        if attempts.locked_until is not None:
            assert attempts.locked_until >= until  # a lock-out is never shortened
            until = attempts.locked_until
        attempts = Attempts.from_json(attempts.to_json())
    for first, later in zip(begun, begun[allowed:], strict=False):
        assert later - first >= lockout


def test_the_last_attempt_locks_and_success_unlocks(contract):
    policy = Policy(threshold=0.5, attempts=2, lockout=100)
    attempts = begin("ada", policy, contract, 0.0, Attempts())[1]
    assert not attempts.locked(0.0)
    attempts = begin("ada", policy, contract, 1.0, attempts)[1]
    assert attempts.locked(1.0)
    assert not attempts.locked(101.0)
    with pytest.raises(LockedError, match="too many attempts"):
        begin("ada", policy, contract, 100.9, attempts)
    assert begin("ada", policy, contract, 101.0, attempts)[1] == Attempts(1, last=101.0)
    assert begin("ada", policy, contract, 2.0, Attempts())[1] == Attempts(1, last=2.0)


def test_a_damaged_record_is_one_sentence():
    for text in ("", "[]", '{"begun": 1, "unknown": 2}'):
        with pytest.raises(AuthenticationError, match="attempts"):
            Attempts.from_json(text)


def test_challenges_are_random_and_expire(contract):
    policy = Policy(threshold=0.5, time_limit=20)
    states = [begin("ada", policy, contract, 5.0, Attempts())[0] for _ in range(200)]
    assert len({state.challenge.id for state in states}) == 200
    assert {state.challenge.expires for state in states} == {25.0}
    asked = Counter(state.challenge.prompts for state in states)
    assert set(asked) == {(N, H, S), (N, S, H)}
    assert min(asked.values()) > 60  # fails once in 10^9 runs


@given(st.permutations([H, S, Expression.FEAR, Expression.ANGER]), st.integers(2, 4), st.integers(1, 9))
def test_no_expression_is_asked_twice_in_succession(names, size, count):
    policy = Policy(threshold=0.5, expressions=tuple(names[:size]), count=count)
    drawn = draw(policy)
    assert len(drawn) == count
    assert set(drawn) <= set(policy.expressions)
    assert all(a != b for a, b in pairwise(drawn))


def test_only_allowed_expressions_can_be_fixed(contract):
    policy = Policy(threshold=0.5)
    assert begin("a", policy, contract, 0, Attempts(), asked=(S,))[0].challenge.prompts == (N, S)
    plain = replace(policy, neutral_first=False)
    assert begin("a", plain, contract, 0, Attempts(), asked=(S,))[0].challenge.prompts == (S,)
    for asked in ((), (Expression.FEAR,), (N,)):
        with pytest.raises(AuthenticationError, match="cannot be asked"):
            begin("a", policy, contract, 0, Attempts(), asked=asked)
