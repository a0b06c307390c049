"""Fold what follows a convolution into it, to compute the same in fewer passes over memory."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from mien.networks.resnet29 import Affine

ModuleT = TypeVar("ModuleT", bound=nn.Module)


@torch.no_grad()
def fold_affines(module: ModuleT) -> ModuleT:
    """A copy of ``module`` for inference, with what scales and shifts a convolution's output folded into it.

    That is every `Affine` and every batch normalization, by its running statistics: ``gamma * (W x + b) + beta``
    becomes one convolution of ``gamma * W`` and ``gamma * b + beta``. The frozen stem of resnet29 takes less than half
    the time of the original, whose scales and shifts each read and write whole maps.

    Args:
        module: with its layers in the order in which they run.
    """
    folded = deepcopy(module).requires_grad_(False)
    layers = [(name, child) for name, child in folded.named_modules() if not list(child.children())]
    for (_, convolution), (name, affine) in pairwise(layers):
        if not (isinstance(convolution, nn.Conv2d) and isinstance(affine, (Affine, nn.BatchNorm2d))):
            continue
        scale, shift = _scale_and_shift(affine)
        convolution.weight.mul_(scale[:, None, None, None])
        bias = torch.zeros_like(shift) if convolution.bias is None else convolution.bias
        convolution.bias = nn.Parameter(bias * scale + shift, requires_grad=False)
        parent, _, attribute = name.rpartition(".")
        setattr(folded.get_submodule(parent), attribute, nn.Identity())
    return folded


def _scale_and_shift(layer: Affine | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    if isinstance(layer, Affine):
        return layer.weight, layer.bias
    if layer.running_mean is None or layer.running_var is None:
        raise ValueError("a batch normalization without running statistics cannot be folded")
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    return scale, layer.bias - scale * layer.running_mean
