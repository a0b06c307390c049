from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mien.contract import METADATA_KEY, Contract
from mien.networks import EXPRESSION, IDENTITY, Backbone, FaceNetwork, export_onnx, restore_batch_norm
from mien.outputs import Probabilities, Scalar, face_outputs
from mien.runtime import Model
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Expression

NAMES = tuple(Expression)[:7]
TEMPLATE = ((50.0, 50.0), (100.0, 50.0), (75.0, 80.0), (55.0, 105.0), (95.0, 105.0))


def contract(*, embedding: int = 128, expressions: tuple[Expression, ...] = NAMES) -> Contract:
    thresholds = ThresholdTable.of(Threshold(0.6, 1e-3, "nothing")) if embedding else None
    return Contract("test", 150, TEMPLATE, face_outputs(embedding, expressions), thresholds, "none", "none")


@pytest.fixture(scope="module")
def network(pretrained: Backbone) -> FaceNetwork:
    backbone = deepcopy(pretrained)
    heads = {IDENTITY: backbone.embedding, EXPRESSION: nn.Sequential(nn.Dropout(0.5), nn.Linear(256, 7))}
    network = FaceNetwork(backbone, heads, split=8, frozen=4, grids={EXPRESSION: 13})
    with torch.no_grad():
        restore_batch_norm(network.branches[EXPRESSION], [network.features(torch.rand(8, 3, 150, 150) * 255)])
    return network.train()


@pytest.fixture(scope="module")
def exported(network: FaceNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    export_onnx(network, contract(), path)
    return path


@pytest.mark.parametrize("count", [1, 7])
def test_the_file_agrees_with_torch(network: FaceNetwork, exported: Path, count: int) -> None:
    session = onnxruntime.InferenceSession(str(exported))
    crops = np.random.default_rng(count).integers(0, 256, (count, 150, 150, 3), dtype=np.uint8)
    embedding, expression = session.run(["embedding", "expression"], {"crops": crops})
    evaluated = deepcopy(network).eval()
    with torch.no_grad():
        outputs = evaluated(torch.from_numpy(crops).permute(0, 3, 1, 2).float())
    np.testing.assert_allclose(embedding, F.normalize(outputs[IDENTITY]).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(expression, outputs[EXPRESSION].softmax(dim=1).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(expression.sum(axis=1), 1, rtol=1e-5)


def test_the_contract_travels_in_the_file(exported: Path) -> None:
    metadata = onnxruntime.InferenceSession(str(exported)).get_modelmeta().custom_metadata_map
    assert Contract.from_json(metadata[METADATA_KEY]) == contract()


def test_exporting_leaves_the_network_in_training(network: FaceNetwork, exported: Path) -> None:
    assert exported.is_file()
    assert network.training


def test_one_output_alone(pretrained: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "identity.onnx"
    export_onnx(pretrained, contract(expressions=()), path)
    session = onnxruntime.InferenceSession(str(path))
    assert [output.name for output in session.get_outputs()] == ["embedding"]


def test_other_branches_are_outputs_by_their_names(pretrained: Backbone, tmp_path: Path) -> None:
    backbone = deepcopy(pretrained)
    heads = {"age": nn.Linear(256, 1), "glasses": nn.Linear(256, 2), IDENTITY: backbone.embedding}
    network = FaceNetwork(backbone, heads, split=14, frozen=4).eval()
    others = (Scalar("age", "years", (0.0, 100.0)), Probabilities("glasses", ("none", "sun")))
    path = tmp_path / "model.onnx"
    export_onnx(network, replace(contract(expressions=()), outputs=face_outputs(128, ()) + others), path)
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    answers = Model(path).run(crops)
    assert list(answers) == ["embedding", "age", "glasses"]
    with torch.no_grad():
        outputs = network(torch.from_numpy(crops).permute(0, 3, 1, 2).float())
    np.testing.assert_allclose(answers["age"], outputs["age"].numpy(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(answers["glasses"], outputs["glasses"].softmax(dim=1).numpy(), rtol=0, atol=1e-5)


def test_embeddings_of_version_1_keep_their_length(pretrained: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(pretrained, replace(contract(), outputs=face_outputs(128, (), normalized=False)), path)
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = pretrained(torch.from_numpy(crops).permute(0, 3, 1, 2).float()).numpy()
    np.testing.assert_allclose(Model(path).run(crops)["embedding"], expected, rtol=0, atol=1e-5)
