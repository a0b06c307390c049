from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mien.errors import ModelError
from mien.networks import (
    EXPRESSION,
    IDENTITY,
    FaceNetwork,
    hidden_head,
    inception_resnet_v1,
    inception_resnet_v1_reduced,
    read_facenet,
    read_facenet_reduced,
)
from mien.weighting import build_weighting

# The official code's layers as (kernel elements, channels in, channels out): weights, and one shift a channel out.
STEM = [(9, 3, 32), (9, 32, 32), (9, 32, 64), (1, 64, 80), (9, 80, 192), (9, 192, 256)]
BLOCK35 = [(1, 256, 32)] * 3 + [(9, 32, 32)] * 3
REDUCTION_A = [(9, 256, 384), (1, 256, 192), (9, 192, 192), (9, 192, 256)]
BLOCK17 = [(1, 896, 128)] * 2 + [(7, 128, 128)] * 2
REDUCTION_B = [(1, 896, 256)] * 3 + [(9, 256, 384)] + [(9, 256, 256)] * 3
BLOCK8 = [(1, 1792, 192)] * 2 + [(3, 192, 192)] * 2
UP35, UP17, UP8 = (1, 96, 256), (1, 256, 896), (1, 384, 1792)


def by_hand(*layers: tuple[int, int, int]) -> int:
    return sum(kernel * fan_in * fan_out + fan_out for kernel, fan_in, fan_out in layers)


def trained(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


@pytest.fixture(scope="module")
def weights(facenet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "facenet.pt"
    classifier = {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}  # the published files have one
    torch.save({**facenet.state_dict(), **classifier}, path)
    return path


def test_each_stage_of_the_reduced_network_has_the_parameters_of_the_official_code() -> None:
    stages = inception_resnet_v1_reduced().stages
    assert [trained(stage) for stage in stages] == [
        by_hand(*STEM),
        by_hand(*BLOCK35, UP35),
        by_hand(*REDUCTION_A),
        by_hand(*BLOCK17, UP17),
        by_hand(*REDUCTION_B),
        by_hand(*BLOCK8, UP8),
        by_hand(*BLOCK8, UP8),
    ]


def test_the_papers_network() -> None:
    backbone = inception_resnet_v1_reduced()
    heads = {IDENTITY: backbone.embedding, EXPRESSION: hidden_head(backbone.pooled_size, 6, 0.5)}
    network = FaceNetwork(backbone, heads, split=5, frozen=0).eval()
    assert trained(network.trunk) == 6_434_992
    assert trained(network.branches[IDENTITY]) == 3_200_000
    assert trained(network.branches[EXPRESSION]) == 3_200_000 + 1792 * 128 + 128 + 128 * 6 + 6
    with torch.no_grad():
        shared = network.features(torch.rand(1, 3, 160, 160) * 255)
    unit = build_weighting("dynamic", [IDENTITY, EXPRESSION], features=shared.shape[1:])
    assert trained(unit) == 32_258


def test_the_full_network_has_22_5_million_parameters_before_the_embedding() -> None:
    with torch.device("meta"):
        backbone = inception_resnet_v1()
    assert trained(backbone.stages) == 22_549_808
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 23_482_624  # with all scales: facenet's


@pytest.mark.parametrize("build", [inception_resnet_v1, inception_resnet_v1_reduced])
def test_stages_are_numbered_as_documented(build) -> None:
    backbone = build().eval()
    x, shapes = torch.zeros(1, 3, 160, 160), []
    with torch.no_grad():
        for stage in backbone.stages:
            x = stage(x)
            shapes.append(tuple(x.shape[1:]))
    ends = {24: (5, 16), 7: (1, 3)}[len(shapes)]  # the last block35 and block17
    assert set(shapes[: ends[0] + 1]) == {(256, 17, 17)}
    assert set(shapes[ends[0] + 1 : ends[1] + 1]) == {(896, 8, 8)}
    assert set(shapes[ends[1] + 1 :]) == {(1792, 3, 3)}


def test_embeddings_equal_facenet_pytorchs(facenet: nn.Module, weights: Path) -> None:
    backbone = read_facenet(weights).eval()
    pixels = torch.randint(0, 256, (2, 3, 160, 160)).float()
    with torch.no_grad():
        expected = facenet((pixels - 127.5) / 128)
        torch.testing.assert_close(backbone(pixels), expected, rtol=0, atol=1e-5)
        features = facenet.last_bn(facenet.last_linear(_pooled(facenet, (pixels - 127.5) / 128)))
        x = backbone.normalize(pixels)
        for stage in backbone.stages:
            x = stage(x)
        torch.testing.assert_close(backbone.embedding(backbone.pool(x)), features, rtol=1e-4, atol=1e-4)


def _pooled(facenet: nn.Module, x: torch.Tensor) -> torch.Tensor:
    for name in ("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b"):
        x = getattr(facenet, name)(x)
    for name in ("repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8", "avgpool_1a"):
        x = getattr(facenet, name)(x)
    return x.flatten(1)


def test_the_reduced_network_takes_the_first_block_of_each_kind(facenet: nn.Module, weights: Path) -> None:
    backbone = read_facenet_reduced(weights).eval()
    x = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        ours = x
        for stage in backbone.stages:
            ours = stage(ours)
        for name in ("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b"):
            x = getattr(facenet, name)(x)
        for block in (
            facenet.repeat_1[0],
            facenet.mixed_6a,
            facenet.repeat_2[0],
            facenet.mixed_7a,
            facenet.repeat_3[0],
        ):
            x = block(x)
        torch.testing.assert_close(ours, facenet.block8(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", r"it lacks block8\.conv2d\.weight and 1 more"),
        ("more", r"it has layer1\.weight"),
        ("shape", r"block8\.conv2d\.bias has shape \(3,\) instead of \(1792,\)"),
        ("list", "hold something else than a state dict"),
        ("text", "cannot be read"),
        ("code", "cannot be read"),
        ("absent", "cannot be read"),
    ],
)
def test_other_weights_are_one_clear_error(facenet: nn.Module, damage: str, message: str, tmp_path: Path) -> None:
    path, state = tmp_path / "other.pt", dict(facenet.state_dict())
    if damage == "missing":
        del state["block8.conv2d.weight"], state["block8.conv2d.bias"]
    elif damage == "more":
        state["layer1.weight"] = torch.zeros(1)
    elif damage == "shape":
        state["block8.conv2d.bias"] = torch.zeros(3)
    if damage == "text":
        path.write_text("no weights at all")
    elif damage != "absent":
        torch.save({"list": [1], "code": nn.Linear(1, 1)}.get(damage, state), path)
    with pytest.raises(ModelError, match=message) as raised:
        read_facenet(path)
    assert "\n" not in str(raised.value)
