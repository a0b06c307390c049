"""Models made elsewhere: an ONNX file that embeds faces serves as a model of mien by a contract written beside it.

The contract of ``NAME.onnx`` is ``NAME.contract.json``: the fields of `mien.contract.Contract`, and under ``graph``
those of `ForeignGraph`, which say what mien's own files have inside their graph.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mien.contract import Contract
from mien.errors import ModelError
from mien.outputs import face_outputs

Channels = Literal["RGB", "BGR"]


@dataclass(frozen=True, slots=True)
class ForeignGraph:
    """How a network takes crops and returns embeddings.

    It takes float32 ``(N, 3, S, S)`` of ``(pixel - mean) / scale`` and returns ``(N, D)``, which is brought to length
    1: networks of the ArcFace line compare faces by the angle between embeddings, and between vectors of length 1 the
    Euclidean distance, ``2 sin(angle / 2)``, says the same.

    Attributes:
        input: name of its input.
        output: name of its output.
        mean: of each channel, in the order of ``channels``; pixels are 0 to 255.
        scale: of all channels.
        channels: the order of the input's channels.
    """

    input: str
    output: str
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    scale: float = 127.5
    channels: Channels = "RGB"

    def feed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Make the input from RGB crops ``(N, S, S, 3)``."""
        ordered = crops if self.channels == "RGB" else crops[..., ::-1]
        pixels = (ordered.astype(np.float32) - np.array(self.mean, np.float32)) / np.float32(self.scale)
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))

    def read(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring embeddings ``(N, D)`` to length 1."""
        length = np.linalg.norm(output, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (output / np.maximum(length, 1e-12)).astype(np.float32)
        return unit


def contract_path(model: Path) -> Path:
    """Where the contract beside a model file is."""
    return model.with_suffix(".contract.json")


def write_contract(model: Path, contract: Contract, graph: ForeignGraph) -> Path:
    """Write the contract beside a model file; returns its path."""
    path = contract_path(model)
    path.write_text(json.dumps({**contract.to_record(), "graph": asdict(graph)}, indent=1), encoding="utf-8")
    return path


def read_contract(model: Path) -> tuple[Contract, ForeignGraph] | None:
    """Read the contract beside a model file; None when there is none.

    Raises:
        ModelError: it cannot be read, or is not a contract.
    """
    path = contract_path(model)
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        mean = tuple(float(value) for value in record["graph"].pop("mean"))
        graph = ForeignGraph(**record.pop("graph"), mean=mean)  # type: ignore[arg-type]  # its length is checked below
        contract = Contract.from_json(json.dumps(record))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read ({error!r}); write it again with `mien adopt`") from error
    if not (_is_mean(graph.mean) and _is_scale(graph.scale) and graph.channels in get_args(Channels)):
        raise ModelError(f"{path} needs a mean of three numbers, a scale above 0 and channels of RGB or BGR")
    if contract.expressions or contract.others or not contract.embedding_size:
        raise ModelError(f"{path} promises other outputs or no embedding; a model made elsewhere can embed faces only")
    return replace(contract, outputs=face_outputs(contract.embedding_size, ())), graph  # `ForeignGraph.read` normalises


def _is_mean(values: tuple[float, ...]) -> bool:
    return len(values) == 3 and all(map(math.isfinite, values))


def _is_scale(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0
