"""The shared part of a network as a method must find it: in the graph, trained, and fit to be differentiated again."""

from __future__ import annotations

import copy

import pytest
import torch
from three_tasks import TASKS, Net, make
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mien.weighting import REGISTRY, WeightingError

BY_NORMS = [name for name, method in REGISTRY.items() if method.kind.needs_shared_parameters]
PER_GRADIENT = [name for name, method in REGISTRY.items() if method.family == "per-gradient"]
REPEATED = [*BY_NORMS, *PER_GRADIENT]
OTHERS = [name for name in REGISTRY if name not in REPEATED]


class Checkpointed(Net):
    """What follows its first layer is computed again in the backward pass."""

    reentrant = True

    def forward(self, inputs: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        first, *_ = self.trunk
        shared = checkpoint(lambda x: torch.tanh(self.last(x.tanh())), first(inputs), use_reentrant=self.reentrant)
        return {task: (self.heads[task](shared) - 1).square().mean() for task in TASKS}, shared


def nothing_written(*modules: nn.Module) -> bool:
    return all(parameter.grad is None for module in modules for parameter in module.parameters())


@pytest.mark.parametrize("name", BY_NORMS)
def test_parameters_of_a_copy_are_not_in_the_graph(name: str) -> None:
    net = Net()
    weighting = make(name, copy.deepcopy(net))
    with pytest.raises(WeightingError, match=r"not in the graphs of the losses of \['a', 'b', 'c'\]: .* not a copy's"):
        weighting.backward(*net(torch.randn(8, 5)))
    assert nothing_written(net, weighting)


@pytest.mark.parametrize("name", BY_NORMS)
def test_a_copy_of_network_and_method_together_goes_on(name: str) -> None:
    net = Net()
    net, weighting = copy.deepcopy((net, make(name, net)))
    weighting.backward(*net(torch.randn(8, 5)))
    assert net.last.weight.grad is not None


@pytest.mark.parametrize("name", BY_NORMS)
def test_parameters_that_a_single_loss_does_not_reach_are_told(name: str) -> None:
    net = Net()
    losses, shared = net(torch.randn(8, 5))
    losses["b"] = net.heads["b"](shared.detach()).square().mean()
    with pytest.raises(WeightingError, match=r"not in the graphs of the losses of \['b'\]"):
        make(name, net).backward(losses, shared)


@pytest.mark.parametrize("name", REPEATED)
def test_a_trunk_that_is_frozen_later_is_told(name: str) -> None:
    net = Net()
    weighting = make(name, net)
    net.trunk.requires_grad_(False)
    net.last.requires_grad_(False)
    with pytest.raises(WeightingError, match="frozen"):
        weighting.backward(*net(torch.randn(8, 5)))
    assert nothing_written(net)


@pytest.mark.parametrize("name", OTHERS)
def test_other_methods_take_a_frozen_trunk(name: str) -> None:
    net = Net()
    net.trunk.requires_grad_(False)
    net.last.requires_grad_(False)
    make(name, net).backward(*net(torch.randn(8, 5)))
    assert all(head.weight.grad is not None for head in net.heads.values())


@pytest.mark.parametrize("name", REPEATED)
def test_a_reentrant_checkpoint_is_told(name: str) -> None:
    net = Checkpointed()
    with pytest.raises(WeightingError, match=r"reentrant"):
        make(name, net).backward(*net(torch.randn(8, 5)))
    assert nothing_written(net)


@pytest.mark.parametrize("name", REGISTRY)
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpoint_that_a_method_takes_gives_the_same_gradients(name: str, reentrant: bool) -> None:
    if reentrant and name in REPEATED:
        return
    plain, again = Net(), Checkpointed()
    again.load_state_dict(plain.state_dict())
    again.reentrant = reentrant
    inputs = torch.randn(8, 5)
    gradients = []
    for net in (plain, again):
        torch.manual_seed(1)
        shared = torch.tanh(net.last(net.trunk(inputs)))
        losses = {task: (net.heads[task](shared) - 1).square().mean() for task in TASKS}
        make(name, net).backward(*((losses, shared) if net is plain else again(inputs)))
        gradients.append([parameter.grad for parameter in net.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", PER_GRADIENT)
def test_features_that_are_not_what_the_branches_read_are_told(name: str) -> None:
    net = Net()
    losses, shared = net(torch.randn(8, 5))
    with pytest.raises(WeightingError, match="loss of 'a' was not computed from these"):
        make(name, net).backward(losses, shared.clone())
    assert nothing_written(net)


@pytest.mark.parametrize("name", PER_GRADIENT)
def test_a_branch_that_passes_by_the_features_is_told(name: str) -> None:
    net = Net()
    losses, shared = net(torch.randn(8, 5))
    losses["b"] = losses["b"] + net.last.weight.square().mean()
    with pytest.raises(WeightingError, match="a branch uses a parameter of the trunk too"):
        make(name, net).backward(losses, shared)
    assert nothing_written(net)


@pytest.mark.parametrize("name", PER_GRADIENT)
def test_losses_with_a_common_part_above_the_features_are_told(name: str) -> None:
    net = Net()
    shared = torch.tanh(net.last(net.trunk(torch.randn(8, 5))))
    common = net.heads["a"](shared).square()
    with pytest.raises(WeightingError, match="no two losses may have anything in common"):
        make(name, net).backward({"a": common.mean(), "b": common.exp().mean(), "c": common.sum()}, shared)
    assert nothing_written(net)
