from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_answers import made_curves

from mien.comparison import Curves
from mien.reproduction.dynamics import describe, mean_dynamics


def test_worked_by_hand() -> None:
    found = describe(made_curves())
    assert found is not None
    assert found.top == pytest.approx(0.8044)
    assert found.at_bound == 1
    assert (found.flips, found.crossings, found.lag) == (1, 1, 2)  # losses cross at step 3, weights flip at 5
    assert found.agreement == pytest.approx(4 / 6)


def test_weights_between_the_bounds_are_not_at_them() -> None:
    curves = replace(made_curves(), weights={"identity": [0.5] * 6, "expression": [0.5] * 6})
    found = describe(curves)
    assert found is not None
    assert (found.at_bound, found.flips, found.lag) == (0, 0, None)


def test_a_crossing_that_is_taken_back_makes_no_lag() -> None:
    curves = made_curves()
    losses = {"identity": [2.0, 2.0, 1.0, 2.0, 2.0, 2.0], "expression": [1.5] * 6}
    found = describe(replace(curves, losses=losses, weights={"identity": [0.8] * 6, "expression": [0.2] * 6}))
    assert found is not None
    assert (found.crossings, found.lag) == (2, None)


def test_steps_without_a_loss_are_left_out() -> None:
    curves = made_curves()
    found = describe(replace(curves, losses=curves.losses | {"expression": [None, *[1.5] * 5]}))
    assert found is not None
    assert found.agreement == pytest.approx(3 / 5)


def test_other_than_two_tasks_have_no_dynamics() -> None:
    assert describe(Curves([1], {"a": [1.0]}, {}, [[]])) is None
    assert describe(Curves([1], {"a": [math.nan], "b": [1.0]}, {"a": [0.5], "b": [0.5]}, [[]])) is None
    assert describe(Curves([1], {"a": [0.5], "b": [1.0]}, {"a": [math.nan], "b": [math.nan]}, [[]])) is None


def test_means_over_runs() -> None:
    one = describe(made_curves())
    assert one is not None
    mean = mean_dynamics([one, replace(one, flips=3, lag=None), replace(one, lag=6)])
    assert mean is not None
    assert (mean.runs, mean.flips, mean.lag) == (3, pytest.approx(5 / 3), 4)
    assert mean_dynamics([]) is None
