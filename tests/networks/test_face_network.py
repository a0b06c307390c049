from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from mien.networks import EXPRESSION, IDENTITY, Backbone, Branch, FaceNetwork, restore_batch_norm


def make(backbone: Backbone, *, split: int = 8, frozen: int = 4) -> FaceNetwork:
    backbone = deepcopy(backbone)
    heads = {IDENTITY: backbone.embedding, EXPRESSION: nn.Linear(256, 7)}
    return FaceNetwork(backbone, heads, split=split, frozen=frozen).eval()


@pytest.mark.parametrize(("frozen", "split"), [(0, 1), (4, 8), (8, 8), (9, 11), (0, 14)])
def test_identity_is_the_pretrained_network_wherever_it_is_cut(pretrained: Backbone, frozen: int, split: int) -> None:
    pixels = torch.rand(2, 3, 150, 150) * 255
    with torch.no_grad():
        outputs = make(pretrained, split=split, frozen=frozen)(pixels)
        torch.testing.assert_close(outputs[IDENTITY], pretrained(pixels))
    assert outputs[EXPRESSION].shape == (2, 7)


def test_branches_start_alike_and_share_no_weights(pretrained: Backbone) -> None:
    network = make(pretrained)
    identity, expression = (network.branches[task].stages.state_dict() for task in (IDENTITY, EXPRESSION))
    assert all(torch.equal(identity[name], expression[name]) for name in identity)
    pointers = [{tensor.data_ptr() for tensor in state.values()} for state in (identity, expression)]
    assert not pointers[0] & pointers[1]


def test_only_the_stem_is_frozen(pretrained: Backbone) -> None:
    network = make(pretrained)
    sum(output.sum() for output in network(torch.rand(2, 3, 150, 150)).values()).backward()
    assert all(parameter.grad is None for parameter in network.stem.parameters())
    trained = [*network.trunk.named_parameters(), *network.branches.named_parameters()]
    assert [name for name, parameter in trained if parameter.grad is None] == []


@pytest.mark.parametrize(("frozen", "split"), [(5, 4), (-1, 4), (0, 15)])
def test_an_impossible_cut_is_refused(pretrained: Backbone, frozen: int, split: int) -> None:
    with pytest.raises(ValueError, match="must satisfy"):
        make(pretrained, split=split, frozen=frozen)


def test_a_branch_may_leave_stages_out(pretrained: Backbone) -> None:
    backbone = deepcopy(pretrained)
    heads = {IDENTITY: backbone.embedding, EXPRESSION: nn.Linear(256, 7)}
    network = FaceNetwork(backbone, heads, split=4, frozen=3, stages={EXPRESSION: [4, 5, 8, 9, 11, 12]}).eval()
    pixels = torch.rand(2, 3, 150, 150) * 255
    with torch.no_grad():
        x = network.features(pixels)
        for number in (4, 5, 8, 9, 11, 12):
            x = pretrained.stages[number](x)
        outputs = network(pixels)
    torch.testing.assert_close(outputs[EXPRESSION], heads[EXPRESSION](x.mean(dim=(2, 3))))
    torch.testing.assert_close(outputs[IDENTITY], pretrained(pixels))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "needs stages from 4 to 14"),
        ([3, 4, 8], "needs stages from 4 to 14"),
        ([4, 8, 15], "needs stages from 4 to 14"),
        ([4, 4, 8], "in rising order"),
        ([8, 4], "in rising order"),
        ([5, 8, 11], "do not fit on each other"),
    ],
)
def test_an_impossible_branch_is_refused(pretrained: Backbone, stages: list[int], message: str) -> None:
    backbone = deepcopy(pretrained)
    with pytest.raises(ValueError, match=message):
        FaceNetwork(backbone, {EXPRESSION: nn.Linear(256, 7)}, split=4, frozen=4, stages={EXPRESSION: stages})


def test_restored_batch_norm_computes_the_same(pretrained: Backbone) -> None:
    network = make(pretrained)
    with torch.no_grad():
        shared = [network.features(torch.rand(4, 3, 150, 150) * 255) for _ in range(2)]
        before = network.branches[EXPRESSION](shared[0])
        restore_batch_norm(network.branches[EXPRESSION], shared)
        after = network.eval().branches[EXPRESSION](shared[0])
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    norms = [module for module in network.branches[EXPRESSION].modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 14
    affine_names = [type(module).__name__ for module in network.branches[EXPRESSION].modules()]
    assert "Affine" not in affine_names


def test_restored_statistics_are_those_of_the_input(pretrained: Backbone) -> None:
    network = make(pretrained)
    with torch.no_grad():
        shared = [network.features(torch.rand(4, 3, 150, 150) * 255) for _ in range(2)]
        branch = network.branches[EXPRESSION]
        convolved = branch.stages[0].conv1(torch.cat(shared))
        restore_batch_norm(branch, shared)
    norm = branch.stages[0].norm1
    torch.testing.assert_close(norm.running_mean, convolved.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var, convolved.var(dim=(0, 2, 3), correction=0), rtol=1e-4, atol=1e-5)


def test_a_coarser_grid_samples_between_the_finer_ones_places() -> None:
    branch = Branch(nn.Sequential(), nn.Identity(), nn.Identity(), grid=26)
    ramp = torch.arange(35.0)[:, None] + 100 * torch.arange(35.0)
    places = ((torch.arange(26) + 0.5) * 35 / 26 - 0.5).clamp(0, 34)
    torch.testing.assert_close(branch(ramp[None, None])[0, 0], places[:, None] + 100 * places)
    same = torch.rand(2, 3, 26, 26)
    assert branch(same) is same


def test_each_branch_has_a_grid_of_its_own(pretrained: Backbone) -> None:
    backbone = deepcopy(pretrained)
    heads = {IDENTITY: backbone.embedding, EXPRESSION: nn.Linear(256, 7)}
    network = FaceNetwork(backbone, heads, split=4, frozen=3, grids={EXPRESSION: 26}).eval()
    seen = {}
    for task, branch in network.branches.items():
        branch.stages[0].register_forward_pre_hook(
            lambda _, inputs, task=task: seen.update({task: inputs[0].shape[-1]})
        )
    pixels = torch.rand(2, 3, 150, 150) * 255
    with torch.no_grad():
        torch.testing.assert_close(network(pixels)[IDENTITY], pretrained(pixels))
    assert seen == {IDENTITY: 35, EXPRESSION: 26}
