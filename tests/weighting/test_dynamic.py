from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mien.weighting import DynamicWeighting, NaiveWeighting, UnitWeighting, WeightingError

ZERO_FEATURES = torch.zeros(1, 1)
"""With these the logits are the bias: a unit that can be set by hand."""


def losses_of(*levels: float) -> dict[str, Tensor]:
    return {f"task{i}": torch.tensor(level, dtype=torch.float64, requires_grad=True) for i, level in enumerate(levels)}


def with_logits(*logits: float, rule: type[UnitWeighting] = DynamicWeighting, raw: bool = False) -> UnitWeighting:
    tasks = [f"task{i}" for i in range(len(logits))]
    weighting = rule(tasks, 1, normalize_logits=not raw).double()
    with torch.no_grad():
        weighting.unit.linear.bias.copy_(torch.tensor(logits))
    return weighting


def train(weighting: UnitWeighting, losses: dict[str, Tensor], steps: int, lr: float = 1.0) -> None:
    optimizer = torch.optim.SGD(weighting.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        weighting.backward(losses, ZERO_FEATURES)
        optimizer.step()
    weighting.backward(losses, ZERO_FEATURES)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("rule", "winner"), [(DynamicWeighting, "task2"), (NaiveWeighting, "task0")])
def test_weight_flows_to_the_largest_loss_or_naively_to_the_smallest(
    rule: type[UnitWeighting], winner: str, raw: bool
) -> None:
    weighting = with_logits(0.1, 0.2, -0.1, rule=rule, raw=raw)
    train(weighting, losses_of(0.3, 0.7, 1.9), steps=300)
    assert max(weighting.weights, key=weighting.weights.__getitem__) == winner
    assert weighting.weights[winner] > (0.9 if raw else 0.55)


@settings(max_examples=40, deadline=None)
@given(
    logits=st.lists(st.floats(-2, 2), min_size=2, max_size=5),
    seed=st.integers(0, 10**6),
)
def test_one_small_step_moves_weight_as_the_rule_says(logits: list[float], seed: int) -> None:
    """With raw logits: up for tasks whose 1/L is below the weighted mean of 1/L, naively for L below that of L."""
    levels = torch.rand(len(logits), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.1
    for rule, prices in ((DynamicWeighting, 1 / (levels + 0.01)), (NaiveWeighting, levels)):
        weighting = with_logits(*logits, rule=rule, raw=True)
        if rule is NaiveWeighting and float(torch.tensor(logits).softmax(0).min()) < 0.011:
            continue
        weights = weighting.unit(ZERO_FEATURES).detach()
        weighting.backward(losses_of(*levels.tolist()), ZERO_FEATURES)
        expected = weights * (prices - (weights * prices).sum())
        torch.testing.assert_close(weighting.unit.linear.bias.grad, expected)


@pytest.mark.parametrize("levels", [(1.0, 0.25), (0.25, 1.0)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_bounds_are_rest_points_whichever_task_is_harder(levels: tuple[float, float], side: float) -> None:
    weighting = with_logits(side, -side)
    weighting.backward(losses_of(*levels), ZERO_FEATURES)
    assert sorted(weighting.weights.values()) == pytest.approx([0.1956, 0.8044], abs=1e-4)
    assert weighting.unit.linear.bias.grad.abs().max() < 1e-12


def steps_to_leave(offset: float) -> int:
    """Count steps until the weights cross, from logits of norm 1 at an angle of ``offset`` to the wrong bound."""
    angle = -math.pi / 4 + offset
    weighting = with_logits(math.cos(angle), math.sin(angle))
    easy_and_hard = losses_of(0.25, 1.0)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=1.0)
    for step in range(100):
        optimizer.zero_grad()
        weighting.backward(easy_and_hard, ZERO_FEATURES)
        if weighting.weights["task0"] < 0.5:
            return step
        optimizer.step()
    raise AssertionError("stuck")


def test_leaving_a_bound_takes_longer_the_closer_the_unit_sits() -> None:
    assert [steps_to_leave(offset) for offset in (1e-1, 1e-2, 1e-4, 1e-6)] == [6, 11, 20, 30]


def test_the_norm_of_the_raw_logits_only_grows() -> None:
    weighting = with_logits(0.6, -0.8)
    norms = []
    for levels in ((0.25, 1.0), (1.0, 0.25)) * 5:
        train(weighting, losses_of(*levels), steps=1)
        norms.append(float(weighting.unit.linear.bias.detach().norm()))
    assert norms == sorted(norms)
    assert norms[-1] > norms[0]


def test_small_and_negative_losses_give_finite_gradients() -> None:
    for levels in ((0.0, 1.0), (1e-30, 0.0), (-5.0, 1.0), (-0.01, 0.5)):
        weighting = with_logits(0.3, 0.1)
        weighting.backward(losses_of(*levels), ZERO_FEATURES)
        assert weighting.unit.linear.bias.grad.isfinite().all()
        assert weighting.unit.linear.bias.grad.abs().max() <= 100


def test_weights_of_one_batch_are_means_over_its_images() -> None:
    weighting = DynamicWeighting(["task0", "task1"], (2, 3)).double()
    features = torch.rand(5, 2, 3, dtype=torch.float64)
    weighting.backward(losses_of(1.0, 2.0), features)
    expected = weighting.unit.per_image(features).mean(dim=0).tolist()
    assert list(weighting.weights.values()) == pytest.approx(expected)


def test_epsilon_must_be_positive() -> None:
    with pytest.raises(WeightingError, match="epsilon"):
        DynamicWeighting(["a"], 4, epsilon=0.0)
