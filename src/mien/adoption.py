"""Make an ONNX file of the ArcFace line a model of mien, by a contract beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mien.alignment import ARCFACE_TEMPLATE
from mien.contract import Contract
from mien.errors import ModelError
from mien.foreign import ForeignGraph, write_contract
from mien.outputs import face_outputs
from mien.runtime import CPU, Model, open_session

ARCFACE_SIZE = 112
"""Side in pixels of the crops of the ArcFace line."""


def adopt(path: Path, *, provenance: str, terms: str, mean: float = 127.5, scale: float = 127.5) -> Model:
    """Write the contract beside a model file and open the model.

    The model is named after the file and a digest of its content, ``mean`` and ``scale``. It gets ArcFace's alignment
    to 112-pixel crops, all five landmarks weighed alike, and no threshold: that depends on the weights, and
    `mien calibrate` chooses one.

    Args:
        path: the ONNX file; one float32 input ``(N, 3, 112, 112)`` of RGB, and an output ``(N, D)``.
        provenance: what it was trained on and how, in words.
        terms: the terms of its weights and of their training data, in words.
        mean: what its pixels of 0 to 255 are less; 0 where the graph does this itself.
        scale: what they are then divided by; 1 where the graph does this itself.

    Raises:
        ModelError: the file is no such model.
    """
    session = open_session(path, None, (CPU,))
    name, output, width = _ports(session, path)
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    content.update(f"{mean} {scale}".encode())  # with others the embeddings would be others too
    contract = Contract(
        model_id=f"{path.stem}-{content.hexdigest()[:12]}",
        crop_size=ARCFACE_SIZE,
        template=ARCFACE_TEMPLATE,
        outputs=face_outputs(width, ()),
        thresholds=None,
        provenance=provenance,
        terms=terms,
        landmark_weights=(1.0,) * 5,
    )
    write_contract(path, contract, ForeignGraph(name, output, (mean, mean, mean), scale))
    return Model(path)


def _ports(session: Any, path: Path) -> tuple[str, str, int]:
    """Names of the input and of the output, and the embedding's size."""
    inputs = [(node.name, node.shape) for node in session.get_inputs()]
    outputs = [(node.name, node.shape[1]) for node in session.get_outputs() if len(node.shape) == 2]
    sides = [shape[1:] for _, shape in inputs]
    if sides != [[3, ARCFACE_SIZE, ARCFACE_SIZE]] or len(outputs) != 1 or not isinstance(outputs[0][1], int):
        raise ModelError(
            f"{path} takes {inputs} and returns {outputs} where one input (N, 3, 112, 112) and one output (N, D) are "
            "expected; only identity models of the ArcFace line can be adopted"
        )
    return inputs[0][0], *outputs[0]
