"""One backward pass against two separate ones, finite differences and the closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.weighting import DynamicWeighting, NaiveWeighting, UnitWeighting

TASKS = ["identity", "expression", "age"]
EPSILON = 0.01


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.heads = nn.Linear(5, 6), nn.ModuleList(nn.Linear(6, 4) for _ in TASKS)

    def forward(self, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        shared = torch.tanh(self.trunk(inputs))
        targets = torch.arange(len(inputs)) % 4
        losses = [F.cross_entropy(scale * head(shared), targets) for scale, head in enumerate(self.heads, 1)]
        return shared, dict(zip(TASKS, losses, strict=True))


def weights_by_hand(weighting: UnitWeighting, shared: Tensor, parameters: tuple[Tensor, Tensor]) -> Tensor:
    """Written out apart from the package; clamps are not reached here."""
    logits = (shared / shared.norm(dim=1, keepdim=True)) @ parameters[0].T + parameters[1]
    if weighting.unit.normalize_logits:
        logits = weighting.unit.scale * logits / logits.norm(dim=1, keepdim=True)
    return (logits.exp() / logits.exp().sum(dim=1, keepdim=True)).mean(dim=0)


def unit_loss_by_hand(weighting: UnitWeighting, weights: Tensor, losses: Tensor) -> Tensor:
    if isinstance(weighting, DynamicWeighting):
        return (weights / (losses.detach() + EPSILON)).sum()
    return (weights * losses.detach()).sum()


def make(rule: type[UnitWeighting], **settings: bool) -> UnitWeighting:
    weighting = rule(TASKS, 6, **settings).double()
    nn.init.normal_(weighting.unit.linear.bias)
    return weighting


VARIANTS = pytest.mark.parametrize(
    ("rule", "normalize_logits"),
    [(DynamicWeighting, True), (DynamicWeighting, False), (NaiveWeighting, True), (NaiveWeighting, False)],
)


@VARIANTS
@pytest.mark.parametrize("leak", [False, True])
def test_one_pass_gives_the_gradients_of_two(rule: type[UnitWeighting], normalize_logits: bool, leak: bool) -> None:
    net, inputs = Net().double(), torch.rand(8, 5, dtype=torch.float64)
    weighting = make(rule, normalize_logits=normalize_logits, leak=leak)
    shared, losses = net(inputs)
    total = weighting.backward(losses, shared)

    own = (weighting.unit.linear.weight, weighting.unit.linear.bias)
    shared, losses = net(inputs)
    values = torch.stack(list(losses.values()))
    weights = weights_by_hand(weighting, shared, own)
    first = (weights * values).sum() if leak else (weights.detach() * values).sum()
    for parameter, expected in zip(
        net.parameters(), torch.autograd.grad(first, net.parameters(), retain_graph=True), strict=True
    ):
        torch.testing.assert_close(parameter.grad, expected)
    second = unit_loss_by_hand(weighting, weights_by_hand(weighting, shared.detach(), own), values)
    for parameter, expected in zip(own, torch.autograd.grad(second, own), strict=True):
        torch.testing.assert_close(parameter.grad, expected)
    torch.testing.assert_close(total, (weights * values).sum().detach())


def test_leak_changes_the_trunk_alone() -> None:
    gradients = []
    for leak in (False, True):
        torch.manual_seed(1)
        net, weighting = Net().double(), make(DynamicWeighting, leak=leak)
        shared, losses = net(torch.rand(8, 5, dtype=torch.float64))
        weighting.backward(losses, shared)
        gradients.append((net, weighting))
    (plain, unit), (leaking, leaking_unit) = gradients
    assert not torch.allclose(plain.trunk.weight.grad, leaking.trunk.weight.grad)
    torch.testing.assert_close(plain.heads[0].weight.grad, leaking.heads[0].weight.grad)
    torch.testing.assert_close(unit.unit.linear.weight.grad, leaking_unit.unit.linear.weight.grad)


def central_difference(value: Callable[[], Tensor], parameter: Tensor, step: float = 1e-6) -> Tensor:
    gradient = torch.zeros_like(parameter)
    with torch.no_grad():
        flat, out = parameter.view(-1), gradient.view(-1)
        for i in range(flat.numel()):
            kept = flat[i].clone()
            flat[i] = kept + step
            above = value()
            flat[i] = kept - step
            out[i] = (above - value()) / (2 * step)
            flat[i] = kept
    return gradient


@VARIANTS
def test_gradients_agree_with_finite_differences(rule: type[UnitWeighting], normalize_logits: bool) -> None:
    net, inputs = Net().double(), torch.rand(8, 5, dtype=torch.float64)
    weighting = make(rule, normalize_logits=normalize_logits)
    shared, losses = net(inputs)
    weighting.backward(losses, shared)
    weights, levels = weighting.unit(shared).detach(), torch.stack(list(losses.values())).detach()

    def total() -> Tensor:
        return (weights * torch.stack(list(net(inputs)[1].values()))).sum()

    def unit_loss() -> Tensor:
        return unit_loss_by_hand(weighting, weighting.unit(shared), levels)

    for value, parameter in (
        (total, net.trunk.weight),
        (total, net.heads[1].bias),
        (unit_loss, weighting.unit.linear.weight),
        (unit_loss, weighting.unit.linear.bias),
    ):
        torch.testing.assert_close(parameter.grad, central_difference(value, parameter.detach()), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("normalize_logits", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_batch_closed_form_of_the_dynamic_gradient(normalize_logits: bool, scale: float) -> None:
    scale = scale if normalize_logits else 1.0
    weighting = DynamicWeighting(TASKS, 6, normalize_logits=normalize_logits, scale=scale).double()
    features, levels = torch.rand(7, 6, dtype=torch.float64), [0.4, 2.0, 0.03]
    losses = {
        task: torch.tensor(level, dtype=torch.float64, requires_grad=True)
        for task, level in zip(TASKS, levels, strict=True)
    }
    weighting.backward(losses, features)

    inputs = features / features.norm(dim=1, keepdim=True)
    logits = (inputs @ weighting.unit.linear.weight.T + weighting.unit.linear.bias).detach()
    norms = logits.norm(dim=1, keepdim=True)
    units = logits / norms
    images = (scale * units if normalize_logits else logits).softmax(dim=1)
    prices = 1 / (torch.tensor(levels, dtype=torch.float64) + EPSILON)
    closed = images * (prices - (images * prices).sum(dim=1, keepdim=True)) / len(features)
    if normalize_logits:
        closed = scale * (closed - units * (units * closed).sum(dim=1, keepdim=True)) / norms
    torch.testing.assert_close(weighting.unit.linear.bias.grad, closed.sum(dim=0))
    torch.testing.assert_close(weighting.unit.linear.weight.grad, closed.T @ inputs)


def test_two_backward_calls_add_up() -> None:
    net, weighting = Net(), DynamicWeighting(TASKS, 6)
    batches = torch.rand(2, 8, 5)
    parts = []
    for batch in batches:
        shared, losses = net(batch)
        weighting.backward(losses, shared)
        parts.append([p.grad.clone() for p in [*net.parameters(), *weighting.parameters()]])
        net.zero_grad()
        weighting.zero_grad()
    for batch in batches:
        shared, losses = net(batch)
        weighting.backward(losses, shared)
    for parameter, one, two in zip([*net.parameters(), *weighting.parameters()], *parts, strict=True):
        torch.testing.assert_close(parameter.grad, one + two)


def test_objective_has_the_value_of_the_total_loss_and_the_same_gradients() -> None:
    net, weighting = Net(), DynamicWeighting(TASKS, 6)
    inputs = torch.rand(8, 5)
    shared, losses = net(inputs)
    objective = weighting(losses, shared)
    total = sum(weighting.last_weights[i] * loss for i, loss in enumerate(losses.values()))
    torch.testing.assert_close(objective, total, rtol=1e-7, atol=0)
    objective.backward()
    one = [p.grad.clone() for p in [*net.parameters(), *weighting.parameters()]]
    net.zero_grad()
    weighting.zero_grad()
    shared, losses = net(inputs)
    assert weighting.backward(losses, shared) == objective
    for parameter, expected in zip([*net.parameters(), *weighting.parameters()], one, strict=True):
        assert torch.equal(parameter.grad, expected)


def test_a_network_under_bfloat16_autocast() -> None:
    net, weighting = Net(), DynamicWeighting(TASKS, 6)
    with torch.autocast("cpu", torch.bfloat16):
        shared, losses = net(torch.rand(8, 5))
        losses["age"] = losses["age"].bfloat16()
        total = weighting.backward(losses, shared)
    assert total.dtype == torch.float32
    assert sum(weighting.weights.values()) == pytest.approx(1)
    assert all(p.grad.isfinite().all() for p in [*net.parameters(), *weighting.parameters()])
