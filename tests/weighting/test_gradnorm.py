"""GradNorm against formulas written out in numpy, on linear branches whose gradients are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mien.weighting import GradNorm, WeightingError

TASKS = ["a", "b", "c"]
ALPHA = 1.5


def network() -> tuple[nn.Linear, nn.ModuleList, torch.Tensor]:
    torch.manual_seed(3)
    trunk, heads = nn.Linear(4, 5).double(), nn.ModuleList(nn.Linear(5, 1) for _ in TASKS).double()
    return trunk, heads, torch.rand(7, 4, dtype=torch.float64)


def by_hand(
    inputs: np.ndarray, trunk: tuple[np.ndarray, np.ndarray], heads: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Losses mean((h(Wx + c) + d)^2), and their gradients with respect to W."""
    shared = inputs @ trunk[0].T + trunk[1]
    losses, gradients = [], []
    for weight, bias in heads:
        output = shared @ weight.T + bias
        losses.append((output**2).mean())
        gradients.append((2 * output * weight).T @ inputs / len(inputs))
    return np.array(losses), gradients


def test_twenty_steps_agree_with_the_formulas() -> None:
    trunk, heads, inputs = network()
    weighting = GradNorm(TASKS, [trunk.weight]).double()
    network_optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=0.05)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.025)

    weights, first = np.ones(3), None
    for _ in range(20):
        layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in (trunk, *heads)]
        losses, gradients = by_hand(inputs.numpy(), layers[0], layers[1:])
        first = losses if first is None else first
        weights = np.maximum(weights, 1e-3) * 3 / np.maximum(weights, 1e-3).sum()
        norms = np.array([np.linalg.norm(gradient) for gradient in gradients])
        ratios = losses / first / (losses / first).mean()
        target = (weights * norms).mean() * ratios**ALPHA
        expected = np.sign(weights * norms - target) * norms

        network_optimizer.zero_grad()
        optimizer.zero_grad()
        shared = trunk(inputs)
        parts = [head(shared).square().mean() for head in heads]
        total = weighting.backward(dict(zip(TASKS, parts, strict=True)))
        assert float(total) == pytest.approx((weights * losses).sum(), rel=1e-10)
        assert list(weighting.weights.values()) == pytest.approx(weights.tolist(), rel=1e-10)
        np.testing.assert_allclose(weighting.task_weights.grad.numpy(), expected, rtol=1e-8)
        whole = sum(weight * gradient for weight, gradient in zip(weights, gradients, strict=True))
        np.testing.assert_allclose(trunk.weight.grad.numpy(), whole, rtol=1e-8)
        network_optimizer.step()
        optimizer.step()
        weights = weights - 0.025 * expected
    assert np.ptp(weights) > 0.03


def test_norms_are_brought_together_when_alpha_is_0() -> None:
    trunk, heads, inputs = network()
    with torch.no_grad():
        heads[0].weight.mul_(3)
    weighting = GradNorm(TASKS, [trunk.weight], alpha=0.0).double()
    optimizer = torch.optim.Adam(weighting.parameters(), lr=0.01)
    for _ in range(400):
        optimizer.zero_grad()
        shared = trunk(inputs)
        parts = {task: head(shared).square().mean() for task, head in zip(TASKS, heads, strict=True)}
        weighting.backward(parts)
        optimizer.step()
    shared = trunk(inputs)
    gradients = [
        torch.autograd.grad(head(shared).square().mean(), trunk.weight, retain_graph=True)[0] for head in heads
    ]
    norms = [
        weight * float(gradient.norm()) for weight, gradient in zip(weighting.weights.values(), gradients, strict=True)
    ]
    assert max(norms) < 1.3 * min(norms)
    assert sum(weighting.weights.values()) == pytest.approx(3)


def test_absent_tasks_are_left_out_of_means_and_keep_their_weight() -> None:
    trunk, heads, inputs = network()
    weighting, two = GradNorm(TASKS, [trunk.weight]).double(), GradNorm(TASKS[:2], [trunk.weight]).double()
    for scale in (1.0, 0.5):
        weighting.zero_grad()
        two.zero_grad()
        shared = trunk(inputs) * scale
        parts = {task: head(shared).square().mean() for task, head in zip(TASKS[:2], heads[:2], strict=True)}
        weighting.backward(parts)
        shared = trunk(inputs) * scale
        parts = {task: head(shared).square().mean() for task, head in zip(TASKS[:2], heads[:2], strict=True)}
        two.backward(parts)
        torch.testing.assert_close(weighting.task_weights.grad[:2], two.task_weights.grad)
        assert weighting.task_weights.grad[2] == 0


def test_it_does_not_train_or_save_the_networks_parameters() -> None:
    trunk, _, _ = network()
    weighting = GradNorm(TASKS, trunk.parameters())
    assert [name for name, _ in weighting.named_parameters()] == ["task_weights"]
    assert set(weighting.state_dict()) == {"task_weights", "initial", "last_weights", "kept_weights", "task_names"}


def test_unfit_settings_and_losses_are_refused() -> None:
    trunk, heads, inputs = network()
    with pytest.raises(WeightingError, match="shared_parameters"):
        GradNorm(TASKS, [])
    with pytest.raises(WeightingError, match="first loss, which must be above 0"):
        GradNorm(TASKS, [trunk.weight]).backward({"a": heads[0](trunk(inputs)).mean() * 0})
