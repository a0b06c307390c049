from __future__ import annotations

import pytest
import torch
from torch import nn

from mien.weighting import DynamicWeighting, EqualWeighting, clip_gradients, parameter_groups


def test_the_unit_has_its_own_group_without_decay() -> None:
    network, weighting = nn.Linear(4, 8), DynamicWeighting(["a", "b"], 8)
    first, second = parameter_groups(network, weighting, lr=1e-4, unit_lr=0.2, weight_decay=0.01)
    assert (first["lr"], first["weight_decay"], len(first["params"])) == (1e-4, 0.01, 2)
    assert (second["lr"], second["weight_decay"], len(second["params"])) == (0.2, 0.0, 2)


def test_a_method_without_parameters_adds_no_group() -> None:
    assert len(parameter_groups(nn.Linear(4, 8), EqualWeighting(["a"]), lr=1e-4)) == 1


def test_a_weighting_inside_the_network_is_not_taken_twice() -> None:
    weighting = DynamicWeighting(["a", "b"], 8)
    network = nn.ModuleDict({"trunk": nn.Linear(4, 8), "weighting": weighting})
    torch.optim.SGD(parameter_groups(network, weighting, lr=0.1))
    assert [len(group["params"]) for group in parameter_groups(network, weighting, lr=0.1)] == [2, 2]


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_the_units_gradient_does_not_shrink_the_networks_step(size: float) -> None:
    network, weighting = nn.Linear(4, 8), DynamicWeighting(["a", "b"], 8)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    for parameter in weighting.parameters():
        parameter.grad = torch.full_like(parameter, size)
    norms = clip_gradients(network, weighting, max_norm=5.0)
    assert float(norms.network) == pytest.approx(40**0.5)
    assert float(norms.weighting) == pytest.approx(size * 18**0.5)
    assert float(network.bias.grad.norm()) == pytest.approx(8**0.5 * 5 / 40**0.5, rel=1e-4)
    assert float(weighting.unit.linear.bias.grad.norm()) == pytest.approx(2**0.5 * min(size, 5 / 18**0.5), rel=1e-4)


def test_clipping_a_method_without_parameters() -> None:
    network = nn.Linear(4, 8)
    network(torch.ones(1, 4)).sum().backward()
    assert float(clip_gradients(network, EqualWeighting(["a"])).weighting) == 0
