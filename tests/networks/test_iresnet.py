from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.errors import ModelError
from mien.networks import iresnet, read_arcface
from mien.networks.iresnet import DEPTHS

SMALL = (2, 1, 1, 2)


def arcface_state(depth: tuple[int, ...]) -> dict[str, Tensor]:
    """A random state dict with the names and shapes of ArcFace's code, made by no code of ours."""
    generator = torch.Generator().manual_seed(1)
    state: dict[str, Tensor] = {}

    def convolution(name: str, channels_out: int, channels_in: int, kernel: int) -> None:
        fan_in = channels_in * kernel**2
        shape = (channels_out, channels_in, kernel, kernel)
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) / fan_in**0.5

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.bias"] = torch.randn(channels, generator=generator) * 0.2
        state[f"{name}.running_mean"] = torch.randn(channels, generator=generator) * 0.1
        state[f"{name}.running_var"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(3)

    def prelu(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=generator) / 2

    convolution("conv1", 64, 3, 3)
    norm("bn1", 64)
    prelu("prelu", 64)
    channels_in = 64
    for group, (channels, count) in enumerate(zip((64, 128, 256, 512), depth, strict=True), 1):
        for number in range(count):
            block = f"layer{group}.{number}"
            norm(f"{block}.bn1", channels_in)
            convolution(f"{block}.conv1", channels, channels_in, 3)
            norm(f"{block}.bn2", channels)
            prelu(f"{block}.prelu", channels)
            convolution(f"{block}.conv2", channels, channels, 3)
            norm(f"{block}.bn3", channels)
            if number == 0:
                convolution(f"{block}.downsample.0", channels, channels_in, 1)
                norm(f"{block}.downsample.1", channels)
            channels_in = channels
    norm("bn2", 512)
    state["fc.weight"] = torch.randn((512, 512 * 49), generator=generator) / 158
    state["fc.bias"] = torch.randn(512, generator=generator)
    norm("features", 512)
    return state


def plain_forward(state: dict[str, Tensor], depth: tuple[int, ...], x: Tensor) -> Tensor:
    """The network written out with functions alone."""

    def norm(name: str, x: Tensor) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(state[f"{name}.{key}"] for key in keys), training=False, eps=1e-5)

    x = F.conv2d(x, state["conv1.weight"], padding=1)
    x = F.prelu(norm("bn1", x), state["prelu.weight"])
    for group, count in enumerate(depth, 1):
        for number in range(count):
            block, stride = f"layer{group}.{number}", 2 if number == 0 else 1
            y = F.conv2d(norm(f"{block}.bn1", x), state[f"{block}.conv1.weight"], padding=1)
            y = F.prelu(norm(f"{block}.bn2", y), state[f"{block}.prelu.weight"])
            y = norm(f"{block}.bn3", F.conv2d(y, state[f"{block}.conv2.weight"], padding=1, stride=stride))
            if number == 0:
                x = norm(f"{block}.downsample.1", F.conv2d(x, state[f"{block}.downsample.0.weight"], stride=2))
            x = x + y
    x = F.linear(norm("bn2", x).flatten(1), state["fc.weight"], state["fc.bias"])
    return norm("features", x)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(arcface_state(SMALL), path)
    return path


def test_embeddings_equal_the_plain_networks(weights: Path) -> None:
    pixels = torch.randint(0, 256, (2, 3, 112, 112)).float()
    with torch.no_grad():
        expected = plain_forward(arcface_state(SMALL), SMALL, (pixels / 255 - 0.5) / 0.5)
        ours = read_arcface(weights, SMALL).eval()(pixels)
    torch.testing.assert_close(ours, F.normalize(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("number", "millions", "stages"), [(18, 24.03, 9), (34, 34.14, 17), (50, 43.59, 25), (100, 65.16, 50)]
)
def test_known_sizes(number: int, millions: float, stages: int) -> None:
    with torch.device("meta"):
        backbone = iresnet(DEPTHS[number])
    assert round(sum(parameter.numel() for parameter in backbone.parameters()) / 1e6, 2) == millions
    assert len(backbone.stages) == stages


def test_stages_are_numbered_as_documented() -> None:
    x, shapes = torch.zeros(1, 3, 112, 112), []
    with torch.no_grad():
        for stage in iresnet(SMALL).eval().stages:
            x = stage(x)
            shapes.append(tuple(x.shape[1:]))
    groups = [(64, 56, 56)] * 2 + [(128, 28, 28), (256, 14, 14)] + [(512, 7, 7)] * 2
    assert shapes == [(64, 112, 112), *groups]


def test_the_scale_of_the_features_is_a_constant() -> None:
    fixed = [name for name, parameter in iresnet(SMALL).named_parameters() if not parameter.requires_grad]
    assert fixed == ["embedding.features.weight"]


def test_every_weight_is_filled(weights: Path) -> None:
    state, filled = arcface_state(SMALL), read_arcface(weights, SMALL).state_dict()
    ours = sorted(float(value.double().sum()) for name, value in filled.items() if "tracked" not in name)
    assert ours == sorted(float(value.double().sum()) for name, value in state.items() if "tracked" not in name)


def test_another_depth_is_refused(weights: Path) -> None:
    with pytest.raises(ModelError, match=r"it lacks layer1\.2\.bn1\.weight and \d+ more"):
        read_arcface(weights, DEPTHS[50])
    with pytest.raises(ModelError, match=r"it has layer1\.1\.bn1\.weight"):
        read_arcface(weights, (1, 1, 1, 2))
