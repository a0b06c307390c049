"""Write a network as one ONNX file with its contract: the arrow from TRAIN to USE."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import outputs
from mien.contract import METADATA_KEY, Contract
from mien.errors import ModelError
from mien.networks.backbone import Backbone
from mien.networks.face_network import EXPRESSION, IDENTITY, FaceNetwork
from mien.networks.fast_prelu import split_prelus
from mien.outputs import Embedding, Output, Probabilities

_OPSET = 18

_TASKS = {outputs.IDENTITY: IDENTITY, outputs.EXPRESSION: EXPRESSION}
"""Branches whose output has another name."""


class _Deployed(nn.Module):
    """Takes uint8 crops as the contract says and returns its outputs in order."""

    def __init__(self, network: nn.Module, outputs: tuple[Output, ...]) -> None:
        super().__init__()
        self.network = network
        self.outputs = outputs

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        pixels = crops.permute(0, 3, 1, 2).float()
        answers = self.network(pixels)
        if isinstance(answers, Tensor):  # a backbone alone
            answers = {IDENTITY: answers}
        return tuple(_finished(answers[_TASKS.get(output.name, output.name)], output) for output in self.outputs)


def _finished(answer: Tensor, output: Output) -> Tensor:
    """What a task's branch returns, as the kind of output promises it."""
    if isinstance(output, Embedding):
        return F.normalize(answer) if output.normalized else answer
    return answer.softmax(dim=1) if isinstance(output, Probabilities) else answer


def export_onnx(network: FaceNetwork | Backbone, contract: Contract, path: Path) -> None:
    """Export ``network`` for the USE half.

    The graph takes ``crops``, uint8 ``(N, S, S, 3)`` with N free, and returns the outputs that the contract names:
    identity's branch as ``embedding``, every other branch by its own name. Embeddings are brought to length 1, class
    logits to probabilities. The file replaces an older one only when it is complete.

    Args:
        network: copied, set to evaluation mode and float32; left unchanged itself.
        contract: written into the file's metadata.
        path: the ONNX file to write.
    """
    deployed = split_prelus(_Deployed(deepcopy(network).float(), contract.outputs)).eval()
    size = contract.crop_size
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    with _quiet():
        program = torch.onnx.export(
            deployed,
            (example,),
            input_names=["crops"],
            output_names=[output.name for output in contract.outputs],
            dynamic_shapes={"crops": {0: torch.export.Dim("N")}},
            opset_version=_OPSET,
            dynamo=True,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    save_model(program.model_proto, contract, path)


def read_contract(model: onnx.ModelProto, path: Path) -> Contract:
    """The contract in the metadata of a model that was read from ``path``.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    texts = [entry.value for entry in model.metadata_props if entry.key == METADATA_KEY]
    if not texts:
        raise ModelError(f"{path} has no contract of mien in its metadata; give a model written by `mien export`")
    try:
        return Contract.from_json(texts[0])
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def restate(path: Path, contract: Contract) -> None:
    """Put another contract into a model file: for the same weights and outputs, such as newly chosen thresholds."""
    save_model(onnx.load(path), contract, path)


def save_model(model: onnx.ModelProto, contract: Contract, path: Path) -> None:
    """Write a model with its contract; the file replaces an older one only when it is complete."""
    onnx.helper.set_model_props(model, {METADATA_KEY: contract.to_json()})
    onnx.checker.check_model(model)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString())
    partial.replace(path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hush the exporter's progress on stdout and its warnings about its own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
