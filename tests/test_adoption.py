from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from mien import Mien
from mien.adoption import adopt
from mien.alignment import ARCFACE_TEMPLATE, DLIB_TEMPLATE, LANDMARK_WEIGHTS, similarity_transform, warp
from mien.contract import Contract
from mien.errors import ModelError
from mien.foreign import ForeignGraph, contract_path, read_contract, write_contract
from mien.images import load_image
from mien.runtime import Model

WIDTH = 48
EMBEDDING = {"kind": "embedding", "name": "embedding", "width": WIDTH}
EXPRESSION = {"kind": "probabilities", "name": "expression", "width": 1, "classes": ["neutral"]}


@pytest.fixture
def foreign(tmp_path):
    """Writer of files like InsightFace's: an average over 28-pixel squares of each channel, as "683" of "input.1"."""

    def write(*, batch="N", channels=3, size=112, width=WIDTH, kind=TensorProto.FLOAT, outputs=1):
        squares = helper.make_node("AveragePool", ["input.1"], ["squares"], kernel_shape=[28, 28], strides=[28, 28])
        flat = helper.make_node("Flatten", ["squares"], ["flat"])
        pick = numpy_helper.from_array(np.eye(channels * (size // 28) ** 2, width, dtype=np.float32), "pick")
        nodes, names = [squares, flat], [str(683 + number) for number in range(outputs)]
        nodes += [helper.make_node("MatMul", ["flat", "pick"], [name]) for name in names]
        taken = helper.make_tensor_value_info("input.1", kind, [batch, channels, size, size])
        given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width]) for name in names]  # as theirs do
        graph = helper.make_graph(nodes, "foreign", [taken], given, [pick])
        path = tmp_path / "w600k.v2.onnx"
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
        return path

    return write


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)


def expected(crops, mean=127.5, scale=127.5):
    squares = ((crops / 1.0 - mean) / scale).reshape(-1, 4, 28, 4, 28, 3).mean(axis=(2, 4))
    vectors = squares.transpose(0, 3, 1, 2).reshape(len(crops), -1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("batch", ["N", 1])
@pytest.mark.parametrize(("mean", "scale"), [(127.5, 127.5), (0.0, 1.0)])
def test_embeddings_by_hand(foreign, crops, batch, mean, scale):
    model = adopt(foreign(batch=batch), provenance="made here", terms="none", mean=mean, scale=scale)
    (embedding,) = model.run(crops).values()
    np.testing.assert_allclose(embedding, expected(crops, mean, scale), rtol=0, atol=1e-5)
    assert embedding.dtype == np.float32
    assert model.run(crops[:0])["embedding"].shape == (0, WIDTH)


def test_the_contract_lies_beside_the_file_and_is_found_again(foreign, crops):
    path = foreign()
    adopted = adopt(path, provenance="made here", terms="none")
    assert contract_path(path).name == "w600k.v2.contract.json"
    again = Model(path)
    assert again.contract == adopted.contract
    assert again.contract.model_id.startswith("w600k.v2-")
    assert (again.contract.crop_size, again.contract.template) == (112, ARCFACE_TEMPLATE)
    np.testing.assert_array_equal(again.run(crops)["embedding"], adopted.run(crops)["embedding"])


def test_what_gives_other_embeddings_has_another_name(foreign):
    models = [adopt(foreign(width=width), provenance="", terms="") for width in (48, 47)]
    models += [adopt(foreign(), provenance="", terms="", **changed) for changed in ({"mean": 0.0}, {"scale": 1.0})]
    assert len({model.contract.model_id for model in models}) == 4


def test_a_graph_may_want_blue_first(foreign, crops):
    path = foreign()
    contract = adopt(path, provenance="", terms="").contract
    write_contract(path, contract, ForeignGraph("input.1", "683", (1.0, 2.0, 3.0), 4.0, "BGR"))
    got = Model(path).run(crops)["embedding"]
    np.testing.assert_allclose(got, expected(crops[..., ::-1], np.array([1, 2, 3]), 4.0), rtol=0, atol=1e-5)


def test_it_serves_photos(foreign, examples):
    adopted = Mien(adopt(foreign(), provenance="", terms="").path, threads=1)
    photo = examples / "obama.jpg"
    (face,) = adopted.analyze(photo)
    assert face.embedding.shape == (WIDTH,)
    assert face.expression is None
    np.testing.assert_allclose(np.linalg.norm(face.embedding), 1, rtol=1e-5)
    assert adopted.verify(photo, photo, threshold=0.5).distance == pytest.approx(0, abs=1e-5)
    with pytest.raises(ModelError, match="recommends no threshold"):
        adopted.verify(photo, photo)


def test_its_crops_are_aligned_by_all_five_landmarks(foreign, examples):
    analyzer = Mien(adopt(foreign(), provenance="", terms="").path, threads=1)
    photo = load_image(examples / "obama.jpg")
    (crop,) = analyzer.crops(photo)
    alike = warp(photo, similarity_transform(crop.landmarks, ARCFACE_TEMPLATE), 112)
    np.testing.assert_array_equal(crop.pixels, alike)
    by_the_eyes = warp(photo, similarity_transform(crop.landmarks, ARCFACE_TEMPLATE, LANDMARK_WEIGHTS), 112)
    assert not np.array_equal(crop.pixels, by_the_eyes)


@pytest.mark.parametrize("settings", [{"size": 224}, {"channels": 1}, {"outputs": 2}], ids=str)
def test_what_cannot_be_adopted_is_refused_and_nothing_is_written(foreign, settings):
    path = foreign(**settings)
    with pytest.raises(ModelError, match="only identity models of the ArcFace line"):
        adopt(path, provenance="", terms="")
    assert not contract_path(path).exists()


def test_models_of_mien_are_not_adopted(tiny_model):
    with pytest.raises(ModelError, match="only identity models"):
        adopt(tiny_model(), provenance="", terms="")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("graph", None, "cannot be read"),
        ("graph", {"input": "x", "output": "683", "mean": [0, 0, 0]}, "has inputs .* where"),
        ("graph", {"input": "input.1", "output": "7", "mean": [0, 0, 0]}, "has inputs .* where"),
        ("graph", {"input": "input.1", "output": "683", "mean": [0, 0]}, "a mean of three numbers"),
        ("graph", {"input": "input.1", "output": "683", "mean": [0, 0, 0], "scale": 0}, "a scale above 0"),
        ("graph", {"input": "input.1", "output": "683", "mean": [0, 0, 0], "channels": "YUV"}, "RGB or BGR"),
        ("crop_size", 128, r"takes .* promises float32 \[N, 3, 128, 128\]"),
        ("outputs", [EMBEDDING | {"width": 512}], r"returns .* promises float32 \[N, 512\]"),
        ("outputs", [], "embed faces only"),
        ("outputs", [EMBEDDING, EXPRESSION], "embed faces only"),
        ("version", 9, "version 9"),
        ("landmark_weights", [1, 1, 1], "five landmark weights"),
        ("landmark_weights", [1, 0, 0, 0, 0], "five landmark weights"),
    ],
)
def test_a_wrong_contract_is_one_clear_error(foreign, key, value, message):
    path = foreign()
    adopt(path, provenance="", terms="")
    record = json.loads(contract_path(path).read_text())
    contract_path(path).write_text(json.dumps({**record, key: value}))
    with pytest.raises(ModelError, match=message) as raised:
        Model(path)
    assert "\n" not in str(raised.value)
    assert contract_path(path).name in str(raised.value)


def test_a_fixed_batch_above_one_is_refused(foreign):
    with pytest.raises(ModelError, match="N may be free or 1"):
        adopt(foreign(batch=4), provenance="", terms="")


def test_without_a_contract_the_error_names_the_way(foreign):
    with pytest.raises(ModelError, match=r"no w600k\.v2\.contract\.json lies beside it.*mien adopt"):
        Model(foreign())


def test_the_contract_inside_a_file_wins(tiny_model, tiny_contract, foreign, tmp_path):
    adopt(foreign(), provenance="", terms="")
    path = tmp_path / "own.onnx"
    shutil.copy(tiny_model(), path)
    shutil.copy(tmp_path / "w600k.v2.contract.json", contract_path(path))
    assert Model(path).contract == tiny_contract


def test_contracts_without_landmark_weights_still_read(tiny_contract):
    record = json.loads(tiny_contract.to_json())
    del record["landmark_weights"]
    assert Contract.from_json(json.dumps(record)) == tiny_contract


def test_no_contract_beside_it(tmp_path):
    assert read_contract(tmp_path / "model.onnx") is None


def test_the_template_fits_dlibs_face_but_for_scale():
    transform = similarity_transform(ARCFACE_TEMPLATE, DLIB_TEMPLATE)
    moved = np.hstack([np.array(ARCFACE_TEMPLATE), np.ones((5, 1))]) @ transform.T
    assert np.abs(moved - DLIB_TEMPLATE).max() < 6  # both are means over faces, found by different detectors
