"""PReLU as ONNX Runtime computes it fast: without leaving the blocked layout of its convolutions."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class SplitPReLU(nn.Module):
    """``a x + (1 - a) relu(x)``: the same function as a PReLU of slopes ``a``, to float32 rounding, for any slopes.

    ONNX Runtime has no PReLU kernel in the blocked layout in which it runs convolutions on a CPU, so every PReLU costs
    two changes of layout. It keeps batch normalization, ReLU and sums there: each of the two products is exported as
    a ``BatchNormalization`` with mean 0 and variance 1.

    Args:
        prelu: the module to replace; its slopes are copied.
    """

    slopes: Tensor

    def __init__(self, prelu: nn.PReLU) -> None:
        super().__init__()
        self.register_buffer("slopes", prelu.weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, ...)`` to the same shape."""
        slopes = self.slopes.expand(x.shape[1])
        return _scaled(x, slopes) + _scaled(F.relu(x), 1 - slopes)


def split_prelus(module: ModuleT) -> ModuleT:
    """Replace every `torch.nn.PReLU` inside ``module``, in place, and return ``module``."""
    for path, child in list(module.named_modules(remove_duplicate=False)):
        if isinstance(child, nn.PReLU):
            parent, _, name = path.rpartition(".")
            setattr(module.get_submodule(parent), name, SplitPReLU(child))
    return module


def _scaled(x: Tensor, factors: Tensor) -> Tensor:
    """Multiply each channel by its factor, by a batch normalization that does nothing else."""
    zeros, ones = torch.zeros_like(factors), torch.ones_like(factors)
    return F.batch_norm(x, zeros, ones, factors, zeros, training=False, eps=0.0)
