from __future__ import annotations

import pytest
import torch
from torch import nn

from mien.networks import fold_affines, resnet29
from mien.networks.resnet29 import Affine


@pytest.fixture
def stages() -> nn.Sequential:
    """The stages of a network whose scales and shifts are not those of a new one."""
    torch.manual_seed(0)
    stages = nn.Sequential(*resnet29().stages[:5])
    for layer in stages.modules():
        if isinstance(layer, Affine):
            nn.init.uniform_(layer.weight, -1, 1)
            nn.init.normal_(layer.bias)
    return stages


def test_folded_it_computes_the_same(stages: nn.Sequential) -> None:
    pixels = torch.randn(2, 3, 70, 66)
    with torch.no_grad():
        torch.testing.assert_close(fold_affines(stages)(pixels), stages(pixels), rtol=1e-4, atol=1e-4)


def test_nothing_is_left_to_scale_and_the_original_stays(stages: nn.Sequential) -> None:
    before = {name: value.clone() for name, value in stages.state_dict().items()}
    folded = fold_affines(stages)
    assert not any(isinstance(layer, Affine) for layer in folded.modules())
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    assert all(torch.equal(before[name], value) for name, value in stages.state_dict().items())


def test_a_convolution_without_bias_gets_one() -> None:
    layers = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), Affine(2))
    with torch.no_grad():
        layers[0].weight.copy_(torch.tensor([2.0, 3.0])[:, None, None, None])
        layers[1].weight.copy_(torch.tensor([5.0, 7.0]))
        layers[1].bias.copy_(torch.tensor([1.0, -1.0]))
    assert fold_affines(layers)(torch.ones(1, 1, 1, 1)).flatten().tolist() == [11.0, 20.0]


def test_batch_normalization_is_folded_by_its_running_statistics() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4, eps=1e-3), nn.PReLU(4), nn.BatchNorm2d(4))
    layers(torch.randn(8, 3, 9, 9) * 5 + 2)  # moves the statistics
    layers.eval()
    folded = fold_affines(layers)
    assert isinstance(folded[1], nn.Identity)
    assert isinstance(folded[3], nn.BatchNorm2d)  # no convolution before it
    pixels = torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(folded(pixels), layers(pixels))
