from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from mien.contract import Contract
from mien.errors import ModelError
from mien.networks import (
    BACKBONES,
    EXPRESSION,
    IDENTITY,
    Backbone,
    FaceNetwork,
    estimate_statistics,
    export_onnx,
    iresnet,
    linear_head,
    load_backbone,
)
from mien.networks.registry import RANDOM, BackboneKind
from mien.outputs import face_outputs
from mien.training.recipe import NetworkRecipe
from mien.types import Expression

CLASSES = tuple(Expression)[:5]
SHALLOW = "iresnet of 4 blocks"
KINDS = {**BACKBONES, SHALLOW: BackboneKind(lambda: iresnet((1, 1, 1, 1)), BACKBONES["iresnet18"].read)}
QUICK = ("resnet29", "inception_resnet_v1_reduced", SHALLOW)


def named(*quick: str) -> list[object]:
    """All kinds; those that take long are marked."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]


@pytest.fixture(scope="module", params=named(*QUICK))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def backbone(name: str) -> Backbone:
    """Random weights, with the statistics of some noise: without, the deepest networks overflow."""
    torch.manual_seed(0)
    backbone = KINDS[name].build()
    estimate_statistics(backbone, [noise(backbone, 4)])
    return backbone


def noise(backbone: Backbone, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    size = backbone.crop_size
    return torch.randint(0, 256, (count, 3, size, size), generator=generator).float()


def network(name: str, backbone: Backbone, split: int, frozen: int = 0) -> FaceNetwork:
    backbone = deepcopy(backbone)
    head = KINDS[name].expression_head(backbone.pooled_size, len(CLASSES), 0.5)
    return FaceNetwork(backbone, {IDENTITY: backbone.embedding, EXPRESSION: head}, split=split, frozen=frozen)


def test_embeddings(backbone: Backbone) -> None:
    with torch.no_grad():
        embeddings = backbone(noise(backbone, 2))
    assert embeddings.shape == (2, backbone.embedding_size)
    assert embeddings.isfinite().all()
    assert not torch.allclose(embeddings[0], embeddings[1], atol=1e-4)
    if backbone.unit_length:
        torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_identity_is_the_backbone_wherever_it_is_cut(name: str, backbone: Backbone) -> None:
    pixels, last = noise(backbone, 1), len(backbone.stages) - 1
    with torch.no_grad():
        expected = backbone(pixels)
        for split in range(last + 1) if name in QUICK else (0, last // 2, last):
            outputs = network(name, backbone, split, frozen=split // 2).eval()(pixels)
            torch.testing.assert_close(outputs[IDENTITY], expected, rtol=1e-4, atol=1e-5)
            assert outputs[EXPRESSION].shape == (1, len(CLASSES))


def test_whatever_is_not_frozen_gets_a_gradient(name: str, backbone: Backbone) -> None:
    made = network(name, backbone, split=3, frozen=1)
    outputs = made(noise(backbone, 3))
    weights = torch.randn(made.embedding_size, generator=torch.Generator().manual_seed(0))
    (outputs[IDENTITY] @ weights + outputs[EXPRESSION].square().sum(dim=1)).sum().backward()
    assert all(parameter.grad is None for parameter in made.stem.parameters())
    trained = [*made.trunk.named_parameters(), *made.branches.named_parameters()]
    lacking = [name for name, parameter in trained if parameter.requires_grad and parameter.grad is None]
    assert lacking == []
    assert all(parameter.grad.isfinite().all() for _, parameter in trained if parameter.requires_grad)


@pytest.mark.parametrize("name", named(SHALLOW), indirect=True)
def test_the_file_agrees_with_torch(name: str, backbone: Backbone, tmp_path: Path) -> None:
    made, path = network(name, backbone, split=3), tmp_path / "model.onnx"
    template = ((1.0, 1.0), (2.0, 1.0), (1.5, 2.0), (1.0, 3.0), (2.0, 3.0))
    outputs = face_outputs(made.embedding_size, CLASSES, normalized=made.unit_length)
    export_onnx(made, Contract("test", made.crop_size, template, outputs, None, "none", "none"), path)
    session = onnxruntime.InferenceSession(str(path))
    for count in (1, 7):
        pixels = noise(backbone, count)
        crops = pixels.permute(0, 2, 3, 1).to(torch.uint8).numpy()
        embedding, expression = session.run(["embedding", "expression"], {"crops": crops})
        with torch.no_grad():
            outputs = made.eval()(pixels)
        np.testing.assert_allclose(embedding, outputs[IDENTITY].numpy(), rtol=0, atol=2e-5)
        np.testing.assert_allclose(expression, outputs[EXPRESSION].softmax(dim=1).numpy(), rtol=0, atol=2e-5)


@pytest.mark.parametrize("tasks", [(EXPRESSION,), (), None])
def test_batch_statistics_move_where_they_are_trained_alone(tasks: tuple[str, ...] | None) -> None:
    backbone = iresnet((1, 1, 1, 1))
    heads = {IDENTITY: backbone.embedding, EXPRESSION: linear_head(backbone.pooled_size, 5, 0.5)}
    made = FaceNetwork(backbone, heads, split=3, frozen=2, batch_norm=tasks).train()
    before = deepcopy(made.state_dict())
    with torch.no_grad():
        made(noise(backbone, 2))
    moved = {key for key, value in made.state_dict().items() if not torch.equal(value, before[key])}
    trained = [f"branches.{task}." for task in ((IDENTITY, EXPRESSION) if tasks is None else tasks)]
    expected = {key for key in before if "running" in key and key.startswith(tuple(trained))}
    assert {key for key in moved if "running" in key} == expected
    assert all(module.training for module in made.modules() if isinstance(module, nn.Dropout))
    assert not any(module.training for module in made.eval().modules())


def test_estimated_statistics_are_those_of_the_batches() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, momentum=0.3))
    batches = [torch.randn(4, 2, 5, 5) * scale + scale for scale in (1.0, 3.0)]
    estimate_statistics(layers, batches)
    torch.testing.assert_close(
        layers[0].running_mean, torch.stack([x.mean(dim=(0, 2, 3)) for x in batches]).mean(dim=0)
    )
    torch.testing.assert_close(layers[0].running_var, torch.stack([x.var(dim=(0, 2, 3)) for x in batches]).mean(dim=0))
    assert layers[2].momentum == 0.3
    assert not layers.training


def test_recipes_know_every_backbone() -> None:
    assert get_args(get_type_hints(NetworkRecipe)["backbone"]) == tuple(BACKBONES)


def test_loading_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path))
    assert len(load_backbone("inception_resnet_v1_reduced", RANDOM).stages) == 7
    with pytest.raises(ModelError, match="backbone vgg is unknown; choose one of: resnet29, "):
        load_backbone("vgg", RANDOM)
    with pytest.raises(ModelError, match="fetch_facenet"):
        load_backbone("inception_resnet_v1", "casia-webface")
    with pytest.raises(ModelError, match=r"no weights .*backbone\.pth; give the path of a file, or one of: random"):
        load_backbone("iresnet18", str(tmp_path / "backbone.pth"))
    with pytest.raises(ModelError, match=r"no weights dlib; .* one of: vggface2, casia-webface, random"):
        load_backbone("inception_resnet_v1", "dlib")
