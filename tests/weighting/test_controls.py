"""Constant input, sign switch, entropy, fixed weights at the bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mien.weighting import (
    ConstantInputWeighting,
    DynamicWeighting,
    EntropyWeighting,
    FixedWeighting,
    SignSwitchWeighting,
    WeightingError,
    weight_bounds,
)


def losses_of(*levels: float) -> dict[str, Tensor]:
    return {f"task{i}": torch.tensor(level, dtype=torch.float64, requires_grad=True) for i, level in enumerate(levels)}


def weights_after(weighting: torch.nn.Module, *levels: float) -> list[float]:
    weighting.backward(losses_of(*levels))
    return list(weighting.weights.values())


@pytest.mark.parametrize(
    ("tasks", "scale", "low", "high"),
    [(2, 1, 0.196, 0.804), (2, 0.5, 0.330, 0.670), (2, 2, 0.056, 0.944), (3, 1, 0.128, 0.630), (3, 0.5, 0.213, 0.480)],
)
def test_bounds_are_those_of_the_published_curves(tasks: int, scale: float, low: float, high: float) -> None:
    assert weight_bounds(tasks, scale) == pytest.approx((low, high), abs=1e-3)


def test_sign_switch_gives_the_bound_to_the_largest_loss_at_once() -> None:
    weighting = SignSwitchWeighting(["task0", "task1"])
    assert weights_after(weighting, 1.0, 0.99) == pytest.approx([0.8044, 0.1956], abs=1e-4)
    assert weights_after(weighting, 0.01, 0.02) == pytest.approx([0.1956, 0.8044], abs=1e-4)
    weighting = SignSwitchWeighting(["task0", "task1", "task2"])
    assert weights_after(weighting, -1.0, -2.0, -3.0) == pytest.approx([0.630, 0.185, 0.185], abs=1e-3)
    weighting.backward({"task1": losses_of(0.0, 5.0)["task1"], "task2": torch.tensor(1.0, requires_grad=True)})
    assert list(weighting.weights.values()) == pytest.approx([0, 0.8044, 0.1956], abs=1e-4)


@pytest.mark.parametrize("tau", [0.5, 1.0, 3.0])
def test_entropy_weights_are_the_minimum_of_the_regularised_sum(tau: float) -> None:
    levels = np.array([0.3, 1.0, 4.0])
    weights = np.array(weights_after(EntropyWeighting(["task0", "task1", "task2"], tau=tau), *levels))

    def value(candidate: np.ndarray) -> float:
        return float((candidate / (levels + 0.01)).sum() + tau * (candidate * np.log(candidate)).sum())

    assert weights.sum() == pytest.approx(1)
    for seed in range(50):
        other = np.random.default_rng(seed).dirichlet([1, 1, 1])
        nearby = 0.99 * weights + 0.01 * other
        assert value(nearby) > value(weights)


def test_a_constant_input_is_the_unit_on_equal_features() -> None:
    """The paper's unit on features that are all alike does the same, step by step."""
    constant, unit = (
        ConstantInputWeighting(["task0", "task1"]).double(),
        DynamicWeighting(["task0", "task1"], 3).double(),
    )
    with torch.no_grad():
        unit.unit.linear.weight.zero_()
        unit.unit.linear.weight[:, :1] = constant.unit.linear.weight
    features = torch.zeros(4, 3, dtype=torch.float64)
    features[:, 0] = 1
    optimizers = [torch.optim.SGD(w.parameters(), lr=0.5) for w in (constant, unit)]
    for step in range(30):
        losses = losses_of(1.0, 0.3 if step < 10 else 3.0)
        for optimizer in optimizers:
            optimizer.zero_grad()
        constant.backward(losses, torch.rand(2, 9))
        unit.backward(losses, features)
        assert constant.weights == pytest.approx(unit.weights)
        for optimizer in optimizers:
            optimizer.step()
    assert max(constant.weights.values()) > 0.75


def test_favouring_one_task() -> None:
    weighting = FixedWeighting.favouring("task1", ["task0", "task1"])
    assert weights_after(weighting, 5.0, 1.0) == pytest.approx([0.1956, 0.8044], abs=1e-4)
    assert list(FixedWeighting.favouring("only", ["only"]).fixed) == [1.0]
    with pytest.raises(WeightingError, match=r"one of \['a', 'b'\]; got 'c'"):
        FixedWeighting.favouring("c", ["a", "b"])


def test_unfit_settings_are_refused() -> None:
    with pytest.raises(WeightingError, match="tau"):
        EntropyWeighting(["a"], tau=0.0)


def test_small_losses_leave_entropy_weights_finite() -> None:
    assert weights_after(EntropyWeighting(["task0", "task1"]), 0.0, -3.0) == [0.5, 0.5]
    assert math.isfinite(sum(weights_after(EntropyWeighting(["task0", "task1"], tau=1e-3), 1e-9, 1e9)))
