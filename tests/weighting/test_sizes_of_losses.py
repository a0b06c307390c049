"""Losses of any finite size, and gradients that are dead: usable numbers or an error in words, in every method."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from three_tasks import TASKS, Net, make
from torch import Tensor

from mien.weighting import REGISTRY, WeightingError, clip_gradients, parameter_groups

pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")  # of Nash-MTL
EVERY = pytest.mark.parametrize("name", REGISTRY)
WEIGHTLESS = ("graddrop", "config")

Losses = tuple[dict[str, Tensor], Tensor]


def all_dead(net: Net, inputs: Tensor) -> Losses:
    shared = torch.tanh(net.last(net.trunk(inputs)))
    return {task: (net.heads[task](0 * shared) - 1).square().mean() for task in TASKS}, shared


def one_dead(net: Net, inputs: Tensor) -> Losses:
    losses, shared = net(inputs)
    return {**losses, "b": (net.heads["b"](0 * shared) - 1).square().mean()}, shared


def all_the_same(net: Net, inputs: Tensor) -> Losses:
    for task in TASKS:
        net.heads[task].load_state_dict(net.heads["a"].state_dict())
    shared = torch.tanh(net.last(net.trunk(inputs)))
    return {task: (net.heads[task](shared) - 1).square().mean() for task in TASKS}, shared


def opposite(net: Net, inputs: Tensor) -> Losses:
    for task in TASKS:
        net.heads[task].load_state_dict(net.heads["a"].state_dict())
    shared = torch.tanh(net.last(net.trunk(inputs)))
    return {
        task: sign * net.heads[task](shared).mean() + 5 for task, sign in zip(TASKS, (1, -1, 1), strict=True)
    }, shared


def solved(net: Net, inputs: Tensor) -> Losses:
    losses, shared = net(inputs)
    return {**losses, "b": 0 * losses["b"]}, shared


def times(*factors: float) -> Callable[[Net, Tensor], Losses]:
    def scaled(net: Net, inputs: Tensor) -> Losses:
        losses, shared = net(inputs)
        return {task: factor * losses[task] for task, factor in zip(TASKS, factors, strict=True)}, shared

    return scaled


CASES = {
    "huge": times(1e25, 1e25, 1e25),
    "tiny": times(1e-30, 1e-30, 1e-30),
    "mixed": times(1e25, 1.0, 1e-30),
    "all dead": all_dead,
    "one dead": one_dead,
    "all the same": all_the_same,
    "opposite": opposite,
    "solved": solved,
}


@pytest.mark.parametrize("case", CASES)
@EVERY
def test_a_step_has_finite_numbers_or_fails_in_words_and_writes_nothing(name: str, case: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    optimizer = torch.optim.Adam(parameter_groups(net, weighting, lr=1e-3))
    parameters = [*net.parameters(), *weighting.parameters()]
    for _ in range(3):
        inputs = torch.randn(8, 5)
        losses, shared = CASES[case](net, inputs)
        optimizer.zero_grad()
        try:
            total = weighting.backward(losses, shared)
        except WeightingError as error:
            assert str(error).endswith(".") or ":" in str(error)
            assert all(parameter.grad is None for parameter in parameters)
            return
        assert total.isfinite()
        assert name in WEIGHTLESS or all(map(math.isfinite, weighting.weights.values()))
        clip_gradients(net, weighting)
        assert all(parameter.grad.isfinite().all() for parameter in parameters if parameter.grad is not None)
        optimizer.step()
        if weighting.needs_losses_after_step:
            with torch.no_grad():
                weighting.after_step(CASES[case](net, inputs)[0])
    assert not any(value.isinf().any() for value in weighting.state_dict().values())


@pytest.mark.parametrize("factor", [1e25, 1e-30])
@pytest.mark.parametrize("name", ["dwa", "cov", "gradnorm", "autoscale"])
def test_weights_that_do_not_depend_on_the_scale_of_the_losses_do_not_for_any(name: str, factor: float) -> None:
    def weights(scale: float) -> list[float]:
        torch.manual_seed(0)
        net = Net()
        weighting = make(name, net)
        for _ in range(4):
            losses, shared = net(torch.randn(8, 5))
            weighting.backward({task: scale * loss for task, loss in losses.items()}, shared)
        return list(weighting.weights.values())

    assert weights(factor) == pytest.approx(weights(1.0), rel=1e-3)


@EVERY
def test_a_failed_step_leaves_the_method_usable(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting, untouched = make(name, net), make(name, net)
    untouched.load_state_dict(copy.deepcopy(weighting.state_dict()))
    huge, shared = times(1e30, 1e30, 1e30)(net, torch.randn(8, 5))
    try:
        weighting.backward(huge, shared)
    except WeightingError:
        net.zero_grad()
        losses, shared = net(torch.randn(8, 5))
        weighting.backward(losses, shared)
        assert all(parameter.grad.isfinite().all() for parameter in net.parameters())
