"""Model files in 8 bits: static quantization of convolutions and fully connected layers by ONNX Runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from mien.contract import Contract
from mien.errors import DataError, ModelError
from mien.networks.onnx_export import read_contract, save_model
from mien.outputs import Probabilities
from mien.quiet import load_quantization
from mien.shipped import family
from mien.thresholds import ThresholdTable

Answers = Mapping[str, NDArray[np.float32]]


FIRST, LAST = "first", "last"
"""In place of names: the layers that no other comes before, and those that no other comes after."""

LAYERS = ("Conv", "Gemm", "MatMul")
"""What is quantized. What lies between, such as activations and sums, stays float: in 8 bits it would cost accuracy,
and ONNX Runtime has no such kernel for a PReLU."""

_BATCH = 16


@dataclass(frozen=True, slots=True)
class QuantizationSettings:
    """How to quantize. Weights are 8-bit, symmetric, with a scale per output channel; activations have one per tensor.

    The range of an activation goes from its smallest to its largest value over the calibration crops.

    Attributes:
        keep_float: layers that stay float: names or patterns (``*``) of nodes, `FIRST`, `LAST`. By default both: pixels
            and final features bear a coarse grid the least, and they take little of the time.
        reduce_range: use 7 bits for weights. On x86 processors without VNNI, sums of products may overflow otherwise.
    """

    keep_float: Sequence[str] = (FIRST, LAST)
    reduce_range: bool = False


def quantize(
    source: Path, crops: NDArray[np.uint8], output: Path, *, data: str, settings: QuantizationSettings | None = None
) -> Contract:
    """Write a model file of mien in 8 bits, and return its contract.

    It has an id of its own, ``NAME-int8-DIGEST``: its embeddings are others, and cannot be mixed with those of the
    float model in a gallery. The thresholds are carried over, and say so; see `mien.evaluation.choose_thresholds` and
    `restate` for others.

    Args:
        source: the float model file.
        crops: ``uint8 (N, S, S, 3)`` aligned crops to choose the ranges of activations on; a few hundred faces like
            those that the model will see.
        output: the ONNX file to write.
        data: what the crops are, in words.
        settings: how to quantize.

    Raises:
        DataError: there is no crop, or crops of another size.
        ModelError: the file is no model of mien, is quantized already, or has no layer of a name in ``keep_float``.
    """
    settings = settings or QuantizationSettings()
    model = onnx.load(source)
    contract = read_contract(model, source)
    size = contract.crop_size
    if not len(crops) or crops.dtype != np.uint8 or crops.shape[1:] != (size, size, 3):
        raise DataError(f"crops of {crops.dtype} {crops.shape} cannot calibrate; give uint8 (N, {size}, {size}, 3)")
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ModelError(f"{source} is quantized already; give the float model that it was made from")
    quantized, kept = _quantized(source, crops, settings)
    digest = hashlib.sha256(quantized.graph.SerializeToString(deterministic=True)).hexdigest()[:12]
    made = replace(
        contract,
        model_id=f"{family(contract.model_id)}-int8-{digest}",
        thresholds=None if contract.thresholds is None else _carried_over(contract),
        provenance=(
            f"{contract.provenance} Quantized from {contract.model_id} to 8 bits on {len(crops)} crops ({data}); "
            f"layers in float: {', '.join(kept) or 'none'}."
        ),
    )
    save_model(quantized, made, output)
    return made


def differences(contract: Contract, before: Answers, after: Answers) -> dict[str, float]:
    """How far the answers of two models for the same crops are apart, by output.

    Args:
        contract: of either model; they have the same outputs.
        before: what `mien.runtime.Model.run` answers with the one.
        after: and with the other.

    Returns:
        For an embedding the median Euclidean distance between the two, for probabilities the share of crops with
        another top class, for a number the median absolute difference.
    """
    found = {}
    for output in contract.outputs:
        a, b = before[output.name], after[output.name]
        if isinstance(output, Probabilities):
            found[output.name] = float(np.mean(a.argmax(axis=1) != b.argmax(axis=1)))
        else:
            found[output.name] = float(np.median(np.linalg.norm(a - b, axis=1)))
    return found


def weighty_layers(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The layers that can be quantized: those of `LAYERS` with weights of their own, in the order of the graph."""
    constants = {constant.name for constant in model.graph.initializer}
    return [node for node in model.graph.node if node.op_type in LAYERS and node.input[1] in constants]


def chosen_layers(model: onnx.ModelProto, wanted: Sequence[str]) -> list[str]:
    """Names of the layers that are meant by names, patterns, `FIRST` and `LAST`.

    Raises:
        ModelError: nothing is meant by one of them.
    """
    layers = weighty_layers(model)
    names = [node.name for node in layers]
    later = _reached(model, layers)
    roles = {
        FIRST: [name for name in names if not any(name in reached for reached in later.values())],
        LAST: [name for name in names if not later[name]],
    }
    chosen: set[str] = set()
    for one in wanted:
        meant = roles[one] if one in roles else [name for name in names if fnmatchcase(name, one)]
        if not meant:
            raise ModelError(f"the model has no layer {one}; give {FIRST}, {LAST}, or some of: {', '.join(names)}")
        chosen.update(meant)
    return [name for name in names if name in chosen]


def _reached(model: onnx.ModelProto, layers: Sequence[onnx.NodeProto]) -> dict[str, set[str]]:
    """By name of a layer, the layers that its output leads to."""
    own = {node.name for node in layers}
    leads: dict[str, set[str]] = {}  # by tensor
    for node in reversed(model.graph.node):
        after = set().union(*(leads.get(tensor, ()) for tensor in node.output))
        for tensor in node.input:
            leads[tensor] = leads.get(tensor, set()) | after | ({node.name} & own)
    return {node.name: leads.get(node.output[0], set()) for node in layers}


def _quantized(
    source: Path, crops: NDArray[np.uint8], settings: QuantizationSettings
) -> tuple[onnx.ModelProto, list[str]]:
    """The quantized graph, and the names of the layers that stayed float."""
    toolkit = load_quantization()
    with TemporaryDirectory() as folder:
        prepared, result = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        toolkit.shape_inference.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(prepared)
        _name_nodes(model)
        kept = chosen_layers(model, settings.keep_float)
        toolkit.quantize_static(
            model,
            result,
            _reader(crops, toolkit.CalibrationDataReader),
            quant_format=toolkit.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=settings.reduce_range,
            activation_type=toolkit.QuantType.QUInt8,
            weight_type=toolkit.QuantType.QInt8,
            nodes_to_quantize=[node.name for node in weighty_layers(model) if node.name not in kept],
        )
        return onnx.load(result), kept


def _reader(crops: NDArray[np.uint8], base: type) -> Any:
    """ONNX Runtime's interface for calibration data."""

    class Reader(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = _batches(crops)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            return next(self._batches, None)

    return Reader()


def _batches(crops: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for start in range(0, len(crops), _BATCH):
        yield {"crops": crops[start : start + _BATCH]}


def _name_nodes(model: onnx.ModelProto) -> None:
    """Give every node a name, by which it can be chosen."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"


def _carried_over(contract: Contract) -> ThresholdTable:
    table = contract.require_thresholds()
    rows = [
        replace(
            row,
            chosen_on=f"carried over from {contract.model_id}, not chosen for this model; {row.chosen_on}",
            far_interval=None,
            impostor_pairs=None,
        )
        for row in table.rows
    ]
    return ThresholdTable(tuple(rows), table.default_far)
