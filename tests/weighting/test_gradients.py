"""The adapter against torchjd used directly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchjd.aggregation import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    GradDrop,
    GradVac,
    NashMTL,
    PCGrad,
    UPGrad,
)
from torchjd.autojac import jac_to_grad, mtl_backward

from mien.weighting import GradientWeighting, WeightingError

TASKS = ["a", "b", "c"]
AGGREGATORS = {
    "mgda": MGDA,
    "pcgrad": PCGrad,
    "cagrad": lambda: CAGrad(c=0.4),
    "nash": lambda: NashMTL(n_tasks=3),
    "imtlg": IMTLG,
    "aligned": AlignedMTL,
    "graddrop": GradDrop,
    "upgrad": UPGrad,
    "config": ConFIG,
    "gradvac": GradVac,
    "dualproj": DualProj,
}
pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.trunk = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(36, 6))
        self.heads = nn.ModuleDict({task: nn.Linear(6, 2) for task in TASKS})

    def forward(self, inputs: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        shared = self.trunk(inputs)
        return {task: (head(shared) - i).square().mean() for i, (task, head) in enumerate(self.heads.items())}, shared


@pytest.mark.parametrize("chunk", [1, None])
@pytest.mark.parametrize("name", AGGREGATORS)
def test_the_adapter_is_torchjd_used_directly(name: str, chunk: int | None) -> None:
    ours, theirs = Net(), Net()
    weighting, aggregator = (
        GradientWeighting(TASKS, AGGREGATORS[name](), parallel_chunk_size=chunk),
        AGGREGATORS[name](),
    )
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.05) for net in (ours, theirs)]
    for number in range(5):
        inputs = torch.randn(6, 1, 5, 5, generator=torch.Generator().manual_seed(number))
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses, shared = ours(inputs)
        torch.manual_seed(number)
        total = weighting.backward(losses, shared)

        losses, shared = theirs(inputs)
        mtl_backward(list(losses.values()), features=shared)
        torch.manual_seed(number)
        # GradDrop draws a number for each coordinate: the order of the parameters counts.
        order = [*theirs.trunk.parameters()] if name != "graddrop" else _nearest_first(theirs)
        weights = jac_to_grad(order, aggregator)
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)
        values = torch.stack(list(losses.values())).detach()
        if weights is None:
            assert weighting.last_weights.isnan().all()
            torch.testing.assert_close(total, values.mean())
        else:
            torch.testing.assert_close(weighting.last_weights, weights, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(total, (weights * values).sum(), rtol=1e-4, atol=1e-6)
        for optimizer in optimizers:
            optimizer.step()


def _nearest_first(net: Net) -> list[nn.Parameter]:
    convolution, linear = net.trunk[0], net.trunk[3]
    return [linear.bias, linear.weight, convolution.weight, convolution.bias]


def test_missing_or_detached_features_are_refused_before_any_gradient() -> None:
    net = Net()
    losses, shared = net(torch.randn(6, 1, 5, 5))
    for features in (None, shared.detach()):
        with pytest.raises(WeightingError, match="UPGrad cuts the network at the shared features"):
            GradientWeighting(TASKS, UPGrad()).backward(losses, features)
    assert all(p.grad is None for p in net.parameters())


def test_a_loss_outside_of_the_graph_is_refused() -> None:
    losses, shared = Net()(torch.randn(6, 1, 5, 5))
    with pytest.raises(WeightingError, match=r"losses of \['b'\] are not attached"):
        GradientWeighting(TASKS, UPGrad()).backward({**losses, "b": torch.tensor(1.0)}, shared)


def test_nash_mtl_wants_all_of_its_tasks() -> None:
    net = Net()
    losses, shared = net(torch.randn(6, 1, 5, 5))
    del losses["b"]
    with pytest.raises(WeightingError, match="NashMTL remembers something of each of its 3 tasks and got 2 losses"):
        GradientWeighting(TASKS, NashMTL(n_tasks=3)).backward(losses, shared)
    assert all(p.grad is None for p in net.parameters())


def test_frozen_parameters_stay_without_gradient() -> None:
    net = Net()
    net.trunk[0].requires_grad_(False)
    losses, shared = net(torch.randn(6, 1, 5, 5))
    GradientWeighting(TASKS, UPGrad()).backward(losses, shared)
    assert net.trunk[0].weight.grad is None
    assert net.trunk[3].weight.grad.any()
    assert not any(hasattr(p, "jac") for p in net.parameters())
