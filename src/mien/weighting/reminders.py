"""Warns, once and by name, of what a training loop has forgotten to do."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn


class WeightingWarning(UserWarning):
    """A weighting method learns nothing, for want of something that the training loop should do."""


STEPS = 100
"""So many calls of ``backward`` without a change are taken for forgetting. Our own choice: more than micro-batches are
accumulated, fewer than a training has."""


class Reminder:
    """Warns once when something was not done in so many steps.

    Args:
        message: what to say.
        steps: how many.
    """

    def __init__(self, message: str, steps: int = STEPS) -> None:
        self.message = message
        self._left = steps

    def step(self) -> None:
        """Count a step."""
        if self._left > 0:
            self._left -= 1
            if self._left == 0:
                warnings.warn(self.message, WeightingWarning, stacklevel=2)

    def settle(self) -> None:
        """Note that it was done."""
        self._left = 0


class ParameterReminder:
    """Warns once when no optimizer has changed a method's own parameters."""

    def __init__(self) -> None:
        self._first: Tensor | None = None
        self._left = STEPS

    def step(self, method: nn.Module) -> None:
        """Count a step, before it changes anything."""
        if self._left == 0:
            return
        parameters = [parameter for parameter in method.parameters() if parameter.requires_grad]
        if not parameters:
            self._left = 0
            return
        if self._first is None:
            self._first = _values(parameters)
        self._left -= 1
        if self._left == 0:
            if torch.equal(self._first, _values(parameters)):
                names = ", ".join(name for name, _ in method.named_parameters())
                warnings.warn(
                    f"{type(method).__name__} has learned nothing in {STEPS} steps: its own parameters ({names}) never "
                    "changed. Give them to the optimizer, e.g. with mien.weighting.parameter_groups.",
                    WeightingWarning,
                    stacklevel=2,
                )
            self._first = None


def _values(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([parameter.detach().float().cpu().flatten() for parameter in parameters])
