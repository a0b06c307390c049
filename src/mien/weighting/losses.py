"""Checks a step's losses and puts them in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.ranks import sum_over_ranks, world_size


@dataclass(frozen=True, slots=True, eq=False)
class TaskLosses:
    """The losses of one step in the order of the tasks, float32 or wider.

    Attributes:
        values: ``(T,)``, attached to the graph; 0 for an absent task.
        levels: ``(T,)``, the same, detached and averaged over the ranks of a distributed run; decisions use these.
        present: ``(T,)`` bool: whether any rank has a loss of the task.
    """

    values: Tensor
    levels: Tensor
    present: Tensor


def gather_losses(tasks: tuple[str, ...], losses: Mapping[str, Tensor]) -> TaskLosses:
    """Check the losses of one step and put them in the order of ``tasks``.

    Raises:
        WeightingError: when there is none, or one is unknown, not a scalar tensor, or not finite.
    """
    _check(tasks, losses)
    dtype = reduce(torch.promote_types, (loss.dtype for loss in losses.values()), torch.float32)
    absent = torch.zeros_like(next(iter(losses.values())), dtype=dtype, requires_grad=False)
    values = torch.stack([losses[task].to(dtype) if task in losses else absent for task in tasks])
    present = torch.tensor([task in losses for task in tasks], device=values.device)
    levels = values.detach()
    if world_size() > 1:
        sums, counts = sum_over_ranks(torch.stack([levels, present.to(dtype)]))
        levels, present = sums / counts.clamp_min(1), counts > 0
        # Gradients are averaged over all ranks, but a task's mean is taken over those ranks that have it.
        values = values * (world_size() / counts.clamp_min(1))
    _check_finite(tasks, levels)
    return TaskLosses(values, levels, present)


def _check(tasks: tuple[str, ...], losses: Mapping[str, Tensor]) -> None:
    if not losses:
        raise WeightingError(f"No losses were given; give at least one of {list(tasks)}.")
    unknown = [name for name in losses if name not in tasks]
    if unknown:
        raise WeightingError(f"Losses were given for the unknown tasks {unknown}; the tasks are {list(tasks)}.")
    for name, loss in losses.items():
        if not isinstance(loss, Tensor) or loss.ndim != 0 or not loss.is_floating_point():
            given = f"shape {tuple(loss.shape)}, {loss.dtype}" if isinstance(loss, Tensor) else type(loss).__name__
            raise WeightingError(f"The loss of task {name!r} must be a scalar float tensor, not {given}; reduce it.")


def _check_finite(tasks: tuple[str, ...], levels: Tensor) -> None:
    finite = torch.isfinite(levels)
    if not bool(finite.all()):
        found = {task: value for task, value in zip(tasks, levels.tolist(), strict=True) if value * 0 != 0}
        raise WeightingError(
            f"Losses are not finite: {found}. No gradient was written; lower the learning rate, "
            "clip the gradients, or look at this batch."
        )
