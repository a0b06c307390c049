"""By what losses are divided to bring them to one scale before a weighting method sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import isfinite, log
from typing import Self

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.losses import TaskLosses
from mien.weighting.names import TaskNames
from mien.weighting.precision import WideBuffers

FLOOR = 1e-8
"""Smallest running mean divided by; our own choice, it only keeps a mean of 0 from dividing."""


class LossScale(TaskNames, WideBuffers, ABC):
    """Says by what each task's loss is divided, for ``NormalizedWeighting``; its state is saved with that.

    Args:
        tasks: names of the tasks, in the order of all vectors.
    """

    @abstractmethod
    def observe(self, losses: TaskLosses) -> None:
        """Learn from the losses of a training step, before they are divided."""

    @abstractmethod
    def scales(self) -> Tensor:
        """Return the divisors ``(T,)``, without gradient: above 0 for every task that was observed, else 0."""

    def _require(self, accepted: Tensor, losses: TaskLosses, wanted: str) -> None:
        if not bool(accepted.all()):
            refused = [task for task, accept in zip(self.tasks, accepted.tolist(), strict=True) if not accept]
            raise WeightingError(
                f"{type(self).__name__} needs {wanted}, which the loss of {refused} is not: "
                f"{dict(zip(self.tasks, losses.levels.tolist(), strict=True))}; choose another normalisation."
            )


class ChanceLevel(LossScale):
    """Divides each loss by its chance level, e.g. ln K for the cross-entropy of K classes.

    Args:
        levels: task name to chance level, above 0, in the order of the tasks.

    Example:
        >>> ChanceLevel.of_classes({"identity": 118, "expression": 8}).scales()
        tensor([4.7707, 2.0794])
    """

    levels: Tensor

    def __init__(self, levels: Mapping[str, float]) -> None:
        super().__init__(list(levels))
        if not all(level > 0 and isfinite(level) for level in levels.values()):
            raise WeightingError(f"Chance levels must be finite and above 0; got {dict(levels)}.")
        self.register_buffer("levels", torch.tensor(list(levels.values()), dtype=torch.float32))

    @classmethod
    def of_classes(cls, classes: Mapping[str, int]) -> Self:
        """Make it from each task's number of classes, 2 or more."""
        return cls({task: log(max(number, 1)) for task, number in classes.items()})

    def observe(self, losses: TaskLosses) -> None:
        """Do nothing: chance does not change."""

    def scales(self) -> Tensor:
        """Return the chance levels ``(T,)``."""
        return self.levels


class InitialValue(LossScale):
    """Divides each loss by its first value, so that every task starts at 1.

    Args:
        tasks: names of the tasks.
    """

    initial: Tensor

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.register_buffer("initial", torch.zeros(len(self.tasks)))

    def observe(self, losses: TaskLosses) -> None:
        """Keep the first value of each task; raise ``WeightingError`` for one that is not above 0."""
        levels = losses.levels.to(self.initial)
        new = losses.present.to(self.initial.device) & (self.initial == 0)
        self._require(~new | (levels > 0), losses, "a first value above 0")
        self.initial.copy_(torch.where(new, levels, self.initial))

    def scales(self) -> Tensor:
        """Return the first values ``(T,)``; 0 for a task that was not seen yet."""
        return self.initial


class RunningMean(LossScale):
    r"""Divides each loss by its running mean, the present step included, so that every task stays near 1.

    The mean is :math:`m_t = d\,m_{t-1} + (1 - d) L_t` over the steps that have the task, divided by
    :math:`1 - d^t` to undo the start at 0.

    Args:
        tasks: names of the tasks.
        decay: d, in [0, 1). Default 0.99, our own choice: a window of about 100 steps, the official code's "epoch".
    """

    mean: Tensor
    steps: Tensor

    def __init__(self, tasks: Sequence[str], decay: float = 0.99) -> None:
        super().__init__(tasks)
        if not 0 <= decay < 1:
            raise WeightingError(f"`decay` must be in [0, 1); got {decay}.")
        self.decay = decay
        self.register_buffer("mean", torch.zeros(len(self.tasks)))
        self.register_buffer("steps", torch.zeros(len(self.tasks), dtype=torch.long))

    def observe(self, losses: TaskLosses) -> None:
        """Move the means; raise ``WeightingError`` for a negative loss."""
        levels, present = losses.levels.to(self.mean), losses.present.to(self.mean.device)
        self._require(levels >= 0, losses, "losses that are not negative")
        self.mean.copy_(torch.where(present, self.decay * self.mean + (1 - self.decay) * levels, self.mean))
        self.steps += present

    def scales(self) -> Tensor:
        """Return the means ``(T,)``, at least 1e-8; 0 for a task that was not seen yet."""
        correction = 1 - self.decay ** self.steps.clamp_min(1).double()
        return (self.mean / correction.to(self.mean)).clamp_min(FLOOR) * (self.steps > 0)
