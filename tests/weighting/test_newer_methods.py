"""UW-SO, DB-MTL, AutoScale and the scalarizers against values worked out by hand or by torchjd."""

from __future__ import annotations

import math

import pytest
import torch
from three_tasks import TASKS, Net
from torchjd import scalarization

from mien.weighting import DBMTL, AutoScaleWeighting, ScalarizerWeighting, UWSOWeighting, WeightingError


def losses_of(*values: float) -> dict[str, torch.Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in zip(TASKS, values, strict=False)}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 20.0])
def test_uw_so_is_a_softmax_of_inverse_losses(temperature: float) -> None:
    weighting = UWSOWeighting(TASKS, temperature=temperature)
    weighting.backward(losses_of(0.5, 2.0, 1.0))
    powers = [math.exp(1 / (temperature * loss)) for loss in (0.5, 2.0, 1.0)]
    assert list(weighting.weights.values()) == pytest.approx([power / sum(powers) for power in powers], rel=1e-5)
    with pytest.raises(WeightingError, match="not negative"):
        weighting.backward(losses_of(-0.5, 2.0))


def test_db_mtl_is_its_two_formulas() -> None:
    torch.manual_seed(0)
    net = Net()
    shared_parameters = [*net.last.parameters(), *net.trunk.parameters()]
    weighting = DBMTL(TASKS, beta=0.6, sigma=0.5)
    buffer: torch.Tensor | None = None
    for step in range(1, 4):
        inputs = torch.randn(8, 5)
        net.zero_grad()
        losses, _ = net(inputs)
        rows = []
        for loss in losses.values():
            found = torch.autograd.grad((loss + 1e-8).log(), shared_parameters, retain_graph=True)
            rows.append(torch.cat([gradient.flatten() for gradient in found]))
        now, decay = torch.stack(rows), 0.6 / step**0.5
        buffer = decay * (torch.zeros_like(now) if buffer is None else buffer) + (1 - decay) * now
        norms = buffer.norm(dim=1)
        expected = (norms.max() / (norms + 1e-8)) @ buffer
        head = torch.autograd.grad((losses["a"] + 1e-8).log(), net.heads["a"].weight)[0]
        weighting.backward(*net(inputs))
        written = torch.cat([parameter.grad.flatten() for parameter in shared_parameters])
        torch.testing.assert_close(written, expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(net.heads["a"].weight.grad, head)


def test_auto_scale_brings_norms_together_and_then_holds() -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = AutoScaleWeighting(TASKS, [net.last.weight], explore=1)
    losses, shared = net(torch.randn(8, 5))
    norms = [float(torch.autograd.grad(loss, net.last.weight, retain_graph=True)[0].norm()) for loss in losses.values()]
    weighting.backward(losses, shared)
    weighted = [norm * weight for norm, weight in zip(norms, weighting.weights.values(), strict=True)]
    assert weighted == pytest.approx([weighted[0]] * 3, rel=1e-4)
    before = weighting.weights
    net.last.requires_grad_(False)  # nothing is differentiated any more
    weighting.backward(*net(torch.randn(8, 5)))
    assert weighting.weights == before


@pytest.mark.parametrize(
    "scalarizer",
    [
        scalarization.STCH(mu=0.3),
        scalarization.COSMOS(lambda_=1.5, weights=torch.tensor([0.2, 0.3, 0.5])),
        scalarization.PBI(theta=5.0, weights=torch.ones(3)),
        scalarization.GeometricMean(),
        scalarization.UW(3),
    ],
)
def test_a_scalarizer_has_the_gradients_that_it_has_by_itself(scalarizer: scalarization.Scalarizer) -> None:
    losses = losses_of(0.5, 2.0, 1.0)
    leaf = torch.tensor([0.5, 2.0, 1.0], requires_grad=True)
    scalarizer(leaf).backward()
    own = [parameter.grad.clone() for parameter in scalarizer.parameters()]
    scalarizer.zero_grad()
    weighting = ScalarizerWeighting(TASKS, scalarizer)
    weighting.backward(losses)
    torch.testing.assert_close(torch.stack([loss.grad for loss in losses.values()]), leaf.grad)
    torch.testing.assert_close(weighting.last_weights, leaf.grad)
    torch.testing.assert_close([parameter.grad for parameter in scalarizer.parameters()], own)


def test_a_scalarizer_without_some_tasks() -> None:
    cosmos = ScalarizerWeighting(TASKS, scalarization.COSMOS(lambda_=1.5, weights=torch.tensor([0.2, 0.3, 0.5])))
    cosmos.backward(losses_of(0.5, 2.0))
    leaf = torch.tensor([0.5, 2.0], requires_grad=True)
    scalarization.COSMOS(lambda_=1.5, weights=torch.tensor([0.2, 0.3]))(leaf).backward()
    torch.testing.assert_close(cosmos.last_weights, torch.cat([leaf.grad, torch.zeros(1)]))
    with pytest.raises(WeightingError, match="UW remembers something of each of its 3 tasks and got 2 losses"):
        ScalarizerWeighting(TASKS, scalarization.UW(3)).backward(losses_of(0.5, 2.0))
