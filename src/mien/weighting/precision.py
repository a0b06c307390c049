"""Keeps what a method remembers in float32, whatever a model is converted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn


class WideBuffers(nn.Module):
    """A module whose own buffers stay at least float32 in ``module.to(torch.bfloat16)`` and the like.

    Averages and counters move by less than bfloat16 can tell apart: at 256 a counter would stop.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: buffer for name, buffer in self._buffers.items() if buffer is not None}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, buffer in before.items():
            converted = self._buffers[name]
            if converted is not None and buffer.is_floating_point() and torch.finfo(converted.dtype).bits < 32:
                self._buffers[name] = buffer.to(converted.device)
        return self
