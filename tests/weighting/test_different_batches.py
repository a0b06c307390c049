"""Tasks from different loaders, with one forward pass each, and several feature tensors."""

from __future__ import annotations

import copy

import pytest
import torch
from three_tasks import TASKS, Net, make
from torch import Tensor, nn
from torchjd.aggregation import MGDA, UPGrad
from torchjd.autojac import jac_to_grad, mtl_backward

from mien.weighting import REGISTRY, DynamicWeighting, GradientWeighting, WeightingError

EVERY = pytest.mark.parametrize("name", REGISTRY)
pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")  # of Nash-MTL


def apart(net: Net, batches: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Each task on its own batch."""
    found = {task: net(batch, [task]) for task, batch in batches.items()}
    return {task: losses[task] for task, (losses, _) in found.items()}, {
        task: shared for task, (_, shared) in found.items()
    }


@EVERY
def test_one_batch_in_three_passes_is_one_batch_in_one(name: str) -> None:
    """Whether the trunk saw a batch once or for each task: gradients and weights are the same."""
    inputs = torch.randn(8, 5)
    once, thrice = Net(), None
    thrice = copy.deepcopy(once)
    seen = []
    for net, given in ((once, once(inputs)), (thrice, apart(thrice, dict.fromkeys(TASKS, inputs)))):
        torch.manual_seed(3)
        weighting = make(name, net)
        total = weighting.backward(*given)
        parameters = [*net.parameters(), *weighting.parameters()]
        seen.append([total, weighting.last_weights, *(parameter.grad for parameter in parameters)])
    torch.testing.assert_close(*seen, equal_nan=True)


@EVERY
def test_batches_of_different_sizes(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    for _ in range(3):
        net.zero_grad()
        losses, features = apart(net, {task: torch.randn(size, 5) for task, size in zip(TASKS, (3, 8, 5), strict=True)})
        weighting.backward(losses, features)
        if weighting.needs_losses_after_step:
            weighting.after_step(losses)
    assert all(parameter.grad.isfinite().all() and parameter.grad.any() for parameter in net.parameters())


def test_the_unit_weighs_all_images_alike_and_each_once() -> None:
    torch.manual_seed(0)
    weighting = DynamicWeighting(["a", "b"], 6)
    one, other = torch.randn(2, 6), torch.randn(5, 6)

    def weights(features: object) -> Tensor:
        losses = {task: torch.tensor(1.0, requires_grad=True) for task in ("a", "b")}
        weighting.backward(losses, features)
        return weighting.last_weights.clone()

    torch.testing.assert_close(weights({"a": one, "b": other}), weights(torch.cat([one, other])))
    torch.testing.assert_close(weights({"a": one, "b": one}), weights(one))
    torch.testing.assert_close(weights([one[:, :2], one[:, 2:]]), weights(one))
    torch.testing.assert_close(weights({"a": [one[:, :2], one[:, 2:]], "b": other}), weights(torch.cat([one, other])))


@pytest.mark.parametrize("chunk", [1, None])
def test_per_gradient_methods_on_different_batches_are_torchjd_on_their_graphs(chunk: int | None) -> None:
    ours = Net()
    theirs = copy.deepcopy(ours)
    batches = {task: torch.randn(4, 5) for task in TASKS}
    losses, features = apart(ours, batches)
    GradientWeighting(TASKS, UPGrad(), parallel_chunk_size=chunk).backward(losses, features)
    losses, features = apart(theirs, batches)
    mtl_backward(list(losses.values()), features=list(features.values()))
    jac_to_grad([*theirs.trunk.parameters(), *theirs.last.parameters()], UPGrad())
    torch.testing.assert_close([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


class TwoScales(nn.Module):
    """Branches that read two feature tensors, or one of them."""

    nested = False

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 3)
        self.both, self.one = nn.Linear(9, 1), nn.Linear(3, 1)

    def forward(self, inputs: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
        wide = self.first(inputs).tanh()
        narrow = self.second(wide if self.nested else inputs).tanh()
        a = (self.both(torch.cat([wide, narrow], dim=1)) - 1).square().mean()
        return {"a": a, "b": (self.one(narrow) + 2).square().mean()}, [wide, narrow]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("chunk", [1, None])
def test_several_features_are_several_plain_gradients(chunk: int | None, nested: bool) -> None:
    """Also where one is computed from the other, as by the stages of a convolutional network."""
    ours, theirs = TwoScales(), TwoScales()
    ours.nested = theirs.nested = nested
    inputs = torch.randn(7, 6)
    weighting = GradientWeighting(["a", "b"], MGDA(), parallel_chunk_size=chunk)
    weighting.backward(*ours(inputs))
    losses, _ = theirs(inputs)
    shared = [*theirs.first.parameters(), *theirs.second.parameters()]
    rows = []
    for loss in losses.values():
        found = torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True, allow_unused=True)
        rows.append(torch.cat([gradient.flatten() for gradient in found]))
    direction = MGDA()(torch.stack(rows))
    torch.testing.assert_close(
        torch.cat([p.grad.flatten() for p in [*ours.first.parameters(), *ours.second.parameters()]]), direction
    )
    sum(losses.values()).backward(inputs=[*theirs.both.parameters(), *theirs.one.parameters()])
    for one, other in ((ours.both, theirs.both), (ours.one, theirs.one)):
        torch.testing.assert_close([p.grad for p in one.parameters()], [p.grad for p in other.parameters()])


def test_at_nested_features_there_is_no_one_gradient() -> None:
    net = TwoScales()
    net.nested = True
    with pytest.raises(WeightingError, match="computed from another"):
        GradientWeighting(["a", "b"], MGDA(), at="features").backward(*net(torch.randn(7, 6)))


def test_at_the_features_the_direction_is_the_aggregators_of_the_gradients_there() -> None:
    ours = Net()
    theirs = copy.deepcopy(ours)
    inputs = torch.randn(8, 5)
    losses, shared = ours(inputs)
    weighting = GradientWeighting(TASKS, UPGrad(), at="features")
    weighting.backward(losses, shared)
    losses, shared = theirs(inputs)
    rows = [torch.autograd.grad(loss, shared, retain_graph=True)[0] for loss in losses.values()]
    direction = UPGrad()(torch.stack([row.flatten() for row in rows]))
    for task, loss in losses.items():
        loss.backward(inputs=list(theirs.heads[task].parameters()), retain_graph=True)
    shared.backward(direction.view_as(shared))
    torch.testing.assert_close([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])
    whole = sum(weight * row for weight, row in zip(weighting.last_weights, rows, strict=True))
    torch.testing.assert_close(whole, direction.view_as(shared))


def test_features_that_do_not_fit_are_told() -> None:
    net, unit = Net(), DynamicWeighting(TASKS, 6)
    losses, features = apart(net, {task: torch.randn(4, 5) for task in TASKS})
    for given, message in (
        ({}, "empty mapping"),
        ({"a": torch.rand(2, 6), "b": torch.rand(2, 4)}, "and one size"),
        ([torch.rand(2, 3), torch.rand(3, 3)], "same images"),
        ({"a": torch.rand(2, 3), "b": torch.rand(2, 3)}, "6 values an image"),
    ):
        with pytest.raises(WeightingError, match=message):
            unit.backward(losses, given)
    del features["b"]
    with pytest.raises(WeightingError, match="no features of the task 'b'"):
        GradientWeighting(TASKS, UPGrad()).backward(losses, features)
    losses, features = apart(net, {task: torch.randn(4, 5) for task in TASKS})
    with pytest.raises(WeightingError, match="all tasks to read the same features"):
        GradientWeighting(TASKS, UPGrad(), at="features").backward(losses, features)
    with pytest.raises(WeightingError, match="`at` must be"):
        GradientWeighting(TASKS, UPGrad(), at="heads")
