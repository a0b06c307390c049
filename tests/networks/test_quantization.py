from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from mien import Gallery
from mien.contract import Contract
from mien.errors import DataError, GalleryError, ModelError
from mien.networks import Backbone, QuantizationSettings, differences, export_onnx, quantize, restate
from mien.networks.backbone import GlobalAverage
from mien.networks.normalization import PixelNormalization
from mien.networks.quantization import chosen_layers
from mien.outputs import face_outputs
from mien.runtime import Model
from mien.thresholds import Threshold, ThresholdTable

TEMPLATE = ((1.0, 1.0), (2.0, 1.0), (1.5, 2.0), (1.0, 3.0), (2.0, 3.0))
THRESHOLDS = ThresholdTable.of(Threshold(0.9, 1e-3, "people", far_interval=(0.0005, 0.002), impostor_pairs=10**6))


def layer(channels_in: int, channels_out: int, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels_out, 3, 2, 1, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.PReLU(channels_out))


def backbone(seed: int = 0) -> Backbone:
    torch.manual_seed(seed)
    return Backbone(
        nn.ModuleList([layer(3, 16), layer(16, 16, groups=16), layer(16, 24)]),
        GlobalAverage(),
        nn.Linear(24, 8),
        pooled_size=24,
        embedding_size=8,
        unit_length=True,
        crop_size=32,
        normalize=PixelNormalization((127.5, 127.5, 127.5), 127.5),
    ).eval()


def noise(count: int, seed: int = 0) -> np.ndarray:
    """Smooth crops, which excite the layers as photos do."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("float") / "model.onnx"
    contract = Contract("net-0123456789ab", 32, TEMPLATE, face_outputs(8, ()), THRESHOLDS, "drawn.", "none")
    export_onnx(backbone(), contract, path)
    return path


@pytest.fixture(scope="module")
def quantized(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "model.onnx"
    quantize(source, noise(40), path, data="noise")
    return path


def test_it_answers_nearly_the_same(source: Path, quantized: Path) -> None:
    before, after = Model(source), Model(quantized)
    crops = noise(50, seed=1)
    apart = differences(before.contract, before.run(crops), after.run(crops))
    assert 0 < apart["embedding"] < 0.1
    others = before.run(crops)["embedding"]
    assert apart["embedding"] < 0.2 * np.median(np.linalg.norm(others[1:] - others[:-1], axis=1))


def test_weights_are_bytes_with_a_scale_per_channel_between_the_first_and_the_last_layer(quantized: Path) -> None:
    model = onnx.load(quantized)
    constants = {constant.name: constant for constant in model.graph.initializer}
    producers = {node.output[0]: node for node in model.graph.node}
    kinds = []
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            weights = producers.get(node.input[1])
            kinds.append(
                "float" if weights is None else onnx.TensorProto.DataType.Name(constants[weights.input[0]].data_type)
            )
            if weights is not None:
                stored = constants[weights.input[0]]
                assert list(constants[weights.input[1]].dims) == [stored.dims[0]]
    assert kinds == ["float", "INT8", "INT8", "float"]


def test_whatever_gives_other_numbers_has_another_id(source: Path, quantized: Path, tmp_path: Path) -> None:
    """Galleries are pinned to the id, so that embeddings of two models are never mixed."""
    ids = [Model(source).contract.model_id, Model(quantized).contract.model_id]
    for crops, settings in (
        (noise(40, seed=7), QuantizationSettings()),
        (noise(40), QuantizationSettings(keep_float=())),
        (noise(40), QuantizationSettings(reduce_range=True)),
    ):
        ids.append(quantize(source, crops, tmp_path / "other.onnx", data="noise", settings=settings).model_id)
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("net-int8-") for one in ids[1:])
    again = quantize(source, noise(40), tmp_path / "again.onnx", data="other words")
    assert again.model_id == ids[1]


def test_a_gallery_of_the_float_model_refuses_it(source: Path, quantized: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with Gallery(path, Model(source).contract) as gallery:
        gallery.enroll("Ada", Model(source).run(noise(1))["embedding"], consent="yes")
    with pytest.raises(GalleryError, match="holds embeddings of net-0123456789ab, which net-int8-"):
        Gallery(path, Model(quantized).contract)


def test_the_contract_says_what_was_done(source: Path, quantized: Path) -> None:
    before, after = Model(source).contract, Model(quantized).contract
    assert after.thresholds is not None
    assert after.thresholds.default == Threshold(
        0.9, 1e-3, "carried over from net-0123456789ab, not chosen for this model; people"
    )
    assert after.provenance.startswith(
        "drawn. Quantized from net-0123456789ab to 8 bits on 40 crops (noise); layers in float: "
    )
    assert replace(after, model_id="", provenance="", thresholds=None) == replace(
        before, model_id="", provenance="", thresholds=None
    )


def test_other_thresholds_can_be_put_in(quantized: Path, tmp_path: Path) -> None:
    path = tmp_path / "restated.onnx"
    path.write_bytes(quantized.read_bytes())
    contract = replace(Model(path).contract, thresholds=THRESHOLDS)
    restate(path, contract)
    assert Model(path).contract == contract
    crops = noise(3)
    np.testing.assert_array_equal(Model(path).run(crops)["embedding"], Model(quantized).run(crops)["embedding"])


def test_layers_are_chosen_by_role_name_and_pattern(source: Path) -> None:
    model = onnx.load(source)
    names = [node.name for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    assert chosen_layers(model, ["first"]) == names[:1]
    assert chosen_layers(model, ["last"]) == names[-1:]
    assert chosen_layers(model, [names[1], "first"]) == names[:2]
    assert chosen_layers(model, ["*"]) == names
    assert chosen_layers(model, []) == []
    with pytest.raises(ModelError, match=r"no layer nothing; give first, last, or some of: node_Conv"):
        chosen_layers(model, ["nothing"])


def test_the_last_layer_of_every_branch_is_a_last_one() -> None:
    """A graph of two branches after a shared layer, written by hand."""
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["shared"], name="shared"),
        onnx.helper.make_node("Relu", ["shared"], ["r"], name="relu"),
        onnx.helper.make_node("Conv", ["r", "w"], ["a"], name="inner"),
        onnx.helper.make_node("MatMul", ["a", "w"], ["one"], name="one"),
        onnx.helper.make_node("MatMul", ["r", "w"], ["two"], name="two"),
        onnx.helper.make_node("MatMul", ["one", "two"], ["product"], name="no weights"),
    ]
    weights = onnx.numpy_helper.from_array(np.zeros(1, np.float32), "w")
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "branches", [], [], [weights]))
    assert chosen_layers(model, ["first"]) == ["shared"]
    assert chosen_layers(model, ["last"]) == ["one", "two"]


def test_what_cannot_be_quantized_is_refused(source: Path, quantized: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.onnx"
    with pytest.raises(DataError, match=r"give uint8 \(N, 32, 32, 3\)"):
        quantize(source, noise(0), target, data="none")
    with pytest.raises(DataError, match=r"give uint8 \(N, 32, 32, 3\)"):
        quantize(source, noise(2)[:, :30], target, data="small")
    with pytest.raises(ModelError, match="quantized already"):
        quantize(quantized, noise(2), target, data="twice")
    foreign = onnx.load(source)
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(ModelError, match="has no contract"):
        quantize(tmp_path / "foreign.onnx", noise(2), target, data="none")
    assert not target.exists()
