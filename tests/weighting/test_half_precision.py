"""Networks whose parameters are bfloat16 or float16, in every method."""

from __future__ import annotations

import pytest
import torch
from three_tasks import TASKS, Net, make
from torch import Tensor, nn

from mien.weighting import REGISTRY, GradientWeighting

EVERY = pytest.mark.parametrize("name", REGISTRY)
pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")  # of Nash-MTL


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@EVERY
def test_a_plain_network_of_half_precision(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    net = Net().to(dtype)
    weighting = make(name, net)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    for _ in range(3):
        inputs = torch.randn(8, 5, dtype=dtype)
        optimizer.zero_grad()
        total = weighting.backward(*net(inputs))
        optimizer.step()
        if weighting.needs_losses_after_step:
            with torch.no_grad():
                weighting.after_step(net(inputs)[0])
    assert total.dtype == torch.float32
    assert all(parameter.grad.dtype == dtype and parameter.grad.isfinite().all() for parameter in net.parameters())


class Spy(nn.Module):
    """An aggregator that keeps what it was given, and returns the mean of the rows."""

    def forward(self, matrix: Tensor) -> Tensor:
        self.given = matrix
        return matrix.mean(dim=0)


@pytest.mark.parametrize("place", ["parameters", "features"])
def test_products_of_gradients_are_made_in_float32(place: str) -> None:
    torch.manual_seed(0)
    spy, net = Spy(), Net().to(torch.bfloat16)
    losses, shared = net(torch.randn(8, 5, dtype=torch.bfloat16))
    GradientWeighting(TASKS, spy, at=place).backward(losses, shared)
    assert spy.given.dtype == torch.float32
    assert spy.given.shape == (
        3,
        sum(p.numel() for p in [*net.trunk.parameters(), *net.last.parameters()])
        if place == "parameters"
        else shared.numel(),
    )


def test_norms_of_gradients_are_taken_in_float32() -> None:
    """In bfloat16 a norm has three digits."""
    torch.manual_seed(0)
    net = Net().to(torch.bfloat16)
    weighting = make("gradnorm", net)
    losses, shared = net(torch.randn(8, 5, dtype=torch.bfloat16))
    norms = [
        torch.autograd.grad(loss, net.last.weight, retain_graph=True)[0].float().norm() for loss in losses.values()
    ]
    weighting.backward(losses, shared)
    torch.testing.assert_close(weighting.task_weights.grad.abs(), torch.stack(norms), rtol=1e-6, atol=0)
