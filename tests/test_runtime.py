from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto

from mien.errors import ModelError
from mien.outputs import face_outputs
from mien.runtime import Model, resolve
from mien.shipped import DEFAULT_MODEL, SHIPPED


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, size=(7, 8, 8, 3), dtype=np.uint8)


def test_both_answers(tiny_model, crops):
    embedding, expression = Model(tiny_model()).run(crops).values()
    np.testing.assert_allclose(embedding, crops.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(expression.sum(axis=1), 1, rtol=1e-5)
    assert (embedding.dtype, expression.dtype) == (np.float32, np.float32)


def test_identity_only(tiny_model, tiny_contract, crops):
    model = Model(tiny_model(tiny_contract.without("expression"), outputs=("embedding",)))
    answers = model.run(crops)
    assert list(answers) == ["embedding"]
    assert answers["embedding"].shape == (7, 3)


def test_expression_only(tiny_model, tiny_contract, crops):
    model = Model(tiny_model(tiny_contract.without("embedding"), outputs=("expression",)))
    answers = model.run(crops)
    assert list(answers) == ["expression"]
    assert answers["expression"].shape == (7, 2)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 32])
def test_micro_batches_change_nothing(tiny_model, crops, batch_size):
    model = Model(tiny_model())
    whole = model.run(crops)
    for name, ours in model.run(crops, batch_size=batch_size).items():
        np.testing.assert_allclose(ours, whole[name], rtol=1e-5)


def test_no_crops_give_empty_answers(tiny_model, crops):
    embedding, expression = Model(tiny_model()).run(crops[:0]).values()
    assert (embedding.shape, expression.shape) == ((0, 3), (0, 2))


@pytest.mark.parametrize("shape", [(8, 8, 3), (1, 8, 9, 3), (1, 3, 8, 8)])
def test_refuses_crops_of_another_form(tiny_model, shape):
    with pytest.raises(ModelError, match=r"give uint8 \(N, 8, 8, 3\)"):
        Model(tiny_model()).run(np.zeros(shape, np.uint8))
    with pytest.raises(ModelError, match="float32"):
        Model(tiny_model()).run(np.zeros((1, 8, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metadata": ""}, "has no contract"),
        ({"metadata": "{"}, "cannot be read"),
        ({"metadata": '{"version": 99}'}, "version 99"),
        ({"widths": (2, 2)}, r"returns embedding .* \[N, 3\]"),
        ({"widths": (3, 1)}, "returns expression"),
        ({"outputs": ("embedding",)}, "lacks the output expression"),
        ({"size": 9}, "takes crops"),
        ({"batch": 1}, "takes crops"),
        ({"input_name": "images"}, "input named crops"),
        ({"input_type": TensorProto.FLOAT}, "uint8 input"),
    ],
)
def test_a_graph_against_its_contract_is_refused(tiny_model, options, message):
    path = tiny_model(**options)
    with pytest.raises(ModelError, match=message) as raised:
        Model(path)
    assert str(path) in str(raised.value)


def test_more_outputs_than_promised_are_refused(tiny_model, tiny_contract):
    with pytest.raises(ModelError, match="has the output expression"):
        Model(tiny_model(tiny_contract.without("expression")))
    with pytest.raises(ModelError, match="promises no output"):
        Model(tiny_model(tiny_contract.without("expression", "embedding")))


def test_outputs_are_checked_when_they_come(tiny_model, tiny_contract, crops):
    model = Model(tiny_model())
    model.contract = replace(
        tiny_contract, outputs=face_outputs(5, tiny_contract.expressions, normalized=False)
    )  # as when a graph does not declare its widths
    with pytest.raises(ModelError, match=r"returned embedding \(7, 3\).*\(7, 5\)"):
        model.run(crops)


def test_missing_and_damaged_files(tmp_path, tiny_model):
    with pytest.raises(ModelError, match=r"does not exist.*mien-s1"):
        Model(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="is not a file"):
        Model(tmp_path)
    whole = tiny_model().read_bytes()
    for name, content in {"empty": b"", "text": b"not a model", "cut": whole[: len(whole) // 2]}.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        with pytest.raises(ModelError) as raised:
            Model(path)
        assert str(path) in str(raised.value)
        assert "\n" not in str(raised.value)


def test_unknown_provider_and_thread_count(tiny_model):
    with pytest.raises(ModelError, match=r"has no NoExecutionProvider; choose from .*CPUExecutionProvider"):
        Model(tiny_model(), providers=["NoExecutionProvider"])
    with pytest.raises(ModelError, match="threads is 0"):
        Model(tiny_model(), threads=0)


def test_shipped_models_are_found_by_name():
    assert resolve() == resolve(DEFAULT_MODEL)
    assert all(resolve(name).is_file() for name in SHIPPED)


def test_shipped_model_answers_both_questions():
    model = Model()
    size = model.contract.crop_size
    crops = np.random.default_rng(0).integers(0, 256, size=(3, size, size, 3), dtype=np.uint8)
    embedding, expression = model.run(crops).values()
    assert embedding.shape == (3, model.contract.embedding_size)
    np.testing.assert_allclose(expression.sum(axis=1), 1, rtol=1e-5)
    alone = [model.run(crop[None]) for crop in crops]
    np.testing.assert_allclose(np.concatenate([one["embedding"] for one in alone]), embedding, atol=1e-5)


def test_threads_may_share_a_model(tiny_model, crops):
    model = Model(tiny_model())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(model.run, [crops] * 40))
    for answers in results:
        np.testing.assert_array_equal(answers["embedding"], results[0]["embedding"])


def test_nothing_is_reported_or_left_behind(tmp_path, examples):
    """ONNX Runtime's telemetry writes a session's number before it sends anything."""
    code = f"from mien import Mien; Mien().analyze({str(examples / 'obama.jpg')!r})"
    places = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], env={**environment, **places}, cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
