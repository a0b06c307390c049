"""Where a run computes, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mien.errors import RecipeError

_WITHOUT_BFLOAT16 = ("DEFAULT", "AVX2")  # what PyTorch calls processors without AVX-512


@dataclass(frozen=True, slots=True)
class Device:
    """A processor or a graphics card, and the precision that a run computes in there.

    Attributes:
        torch_device: the device, as PyTorch names it.
        bfloat16: whether networks run under autocast to bfloat16, which needs no scaling of the losses.
        remarks: what the user should know about the choice, a line each.
    """

    torch_device: torch.device
    bfloat16: bool = False
    remarks: tuple[str, ...] = ()

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which networks run."""
        return torch.autocast(self.torch_device.type, torch.bfloat16, enabled=self.bfloat16)

    def move(self, tensor: Tensor) -> Tensor:
        """The tensor on this device; the same where it is there."""
        return tensor.to(self.torch_device, non_blocking=True)


CPU = Device(torch.device("cpu"))


def choose_device(wanted: str, precision: str) -> Device:
    """Find the device that a recipe asks for.

    Args:
        wanted: ``auto``, which takes a GPU where PyTorch finds one; ``cpu`` or ``cuda``.
        precision: ``float32`` or ``bfloat16``. A GPU without instructions for bfloat16 computes in float32.

    Raises:
        RecipeError: a GPU is asked for, and there is none.
    """
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise RecipeError(
            "device cuda was asked for, but PyTorch finds no GPU; give --device cpu, or install a PyTorch with CUDA"
        )
    asked = precision == "bfloat16"
    return _processor(asked) if wanted == "cpu" or not found else _graphics_card(asked)


def _processor(bfloat16: bool) -> Device:
    slow = bfloat16 and torch.backends.cpu.get_cpu_capability() in _WITHOUT_BFLOAT16
    remark = (
        "this processor has no instructions for bfloat16, so training is many times slower than with "
        "--set precision=float32"
    )
    return Device(torch.device("cpu"), bfloat16, (remark,) * slow)


def _graphics_card(bfloat16: bool) -> Device:
    able = bfloat16 and torch.cuda.is_bf16_supported(including_emulation=False)
    remarks = [f"training on {torch.cuda.get_device_name()}"]
    if bfloat16 and not able:
        remarks.append("it has no instructions for bfloat16, so it computes in float32")
    # With its number: a tensor's device always has one.
    return Device(torch.device("cuda", torch.cuda.current_device()), able, tuple(remarks))
