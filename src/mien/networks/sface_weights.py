"""Reader of SFace's weights, as ``tools/extract_sface.py`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mien.errors import ModelError
from mien.networks.backbone import Backbone
from mien.networks.sface import sface

_LAST_EPS = 2e-5  # of the batch normalisations around the last layer
_STATISTICS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var"}


def find_sface() -> Path:
    """The file inside the package."""
    return Path(str(resources.files("mien.networks") / "weights" / "sface.safetensors"))


@torch.no_grad()
def read_sface(path: Path) -> Backbone:
    """Build `sface` with the weights of a file.

    Raises:
        ModelError: the file cannot be read, or is of another network.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"weights {path} cannot be read ({error}); give a file of tools/extract_sface.py") from error
    backbone = sface()
    try:
        for number, stage in enumerate(backbone.stages):
            block, depthwise = (number + 1) // 2 + 1, number % 2 == 1
            _fill(stage, stored, f"conv_{block}{'_dw' * depthwise}")
        _fill_embedding(backbone.embedding, stored)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"weights {path} are of another network ({error}); choose the backbone that they were made for"
        ) from error
    return backbone


def _fill(unit: nn.Module, stored: Mapping[str, Tensor], name: str) -> None:
    """Fill a convolution, its batch normalisation and its PReLU."""
    convolution, norm, activation = unit.children()
    convolution.weight.copy_(_weight(stored, f"{name}_conv2d_weight"))  # type: ignore[operator]
    for own, its in _STATISTICS.items():
        getattr(norm, own).copy_(stored[f"{name}_batchnorm_{its}"])
    activation.weight.copy_(stored[f"{name}_relu_gamma"].flatten())  # type: ignore[operator]


def _fill_embedding(layer: nn.Module, stored: Mapping[str, Tensor]) -> None:
    """Fill the last layer with the published one and the batch normalisations before and after it.

    With ``x' = s x + t`` for each channel before, and ``y' = u y + v`` after, ``y = W x' + b`` becomes
    ``y' = (u W s) x + u (W t + b) + v``. Multiplied out in double precision.
    """
    before, beyond = _affine(stored, "bn1"), _affine(stored, "fc1")
    weight, bias = _weight(stored, "pre_fc1_weight").double(), _weight(stored, "pre_fc1_bias").double()
    places = weight.shape[1] // len(before[0])
    scale, shift = (value.repeat_interleave(places) for value in before)
    layer.weight.copy_(beyond[0][:, None] * weight * scale)  # type: ignore[operator]
    layer.bias.copy_(beyond[0] * (weight @ shift + bias) + beyond[1])  # type: ignore[operator]


def _affine(stored: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch normalisation with its own statistics, float64."""
    scale = stored[f"{name}_gamma"].double() / (stored[f"{name}_moving_var"].double() + _LAST_EPS).sqrt()
    return scale, stored[f"{name}_beta"].double() - scale * stored[f"{name}_moving_mean"].double()


def _weight(stored: Mapping[str, Tensor], name: str) -> Tensor:
    """Multiply out a quantised weight: ``(number - zero point) * scale``, block by block of each row."""
    numbers, scale = stored[f"{name}.int8"], stored[f"{name}.scale"]
    blocks = numbers.reshape(*scale.shape, -1).float() - stored[f"{name}.zero"].float()[..., None]
    return (blocks * scale[..., None]).reshape(numbers.shape)
