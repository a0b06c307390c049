"""A constant in the place of an absent task's loss, in every method."""

from __future__ import annotations

import copy

import pytest
import torch
from three_tasks import TASKS, Net, make

from mien.weighting import REGISTRY, EqualWeighting, InitialValue, NormalizedWeighting, ScalarWeighting, WeightingError

EVERY = pytest.mark.parametrize("name", REGISTRY)
MESSAGE = r"losses of \['b'\] are not attached to a graph: leave tasks without labels out"


@EVERY
def test_a_constant_for_an_absent_task_is_refused_before_anything_is_learned(name: str) -> None:
    net = Net()
    weighting = make(name, net)
    before = copy.deepcopy(weighting.state_dict())
    losses, shared = net(torch.randn(8, 5), ["a", "c"])
    calls = [weighting.backward] + [weighting] * isinstance(weighting, ScalarWeighting)
    for call in calls:
        with pytest.raises(WeightingError, match=MESSAGE):
            call({**losses, "b": torch.tensor(0.0)}, shared)
    torch.testing.assert_close(dict(weighting.state_dict()), dict(before), rtol=0, atol=0, equal_nan=True)
    assert all(parameter.grad is None for parameter in [*net.parameters(), *weighting.parameters()])
    if not getattr(weighting, "needs_all_tasks", False):
        weighting.backward(losses, shared)  # the same batch, as it should be given


def test_a_scale_does_not_learn_from_a_constant() -> None:
    weighting = NormalizedWeighting(EqualWeighting(TASKS), InitialValue(TASKS))
    losses = {"a": torch.tensor(2.0, requires_grad=True), "b": torch.tensor(3.0)}
    with pytest.raises(WeightingError, match=MESSAGE):
        weighting.backward(losses)
    assert not weighting.scale.scales().any()
