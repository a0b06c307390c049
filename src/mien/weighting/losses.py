"""Checks a step's losses and puts them in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
        parts: the T entries of ``values`` before they were stacked: a gradient of one is none of the others.
        levels: ``(T,)``, the same, detached and averaged over the ranks of a distributed run; decisions use these.
        present: ``(T,)`` bool: whether any rank has a loss of the task.
        known: T numbers, ``levels`` as read for the check that they are finite: use these where a number is needed, as
            reading a tensor again makes the device wait.
        count: how many tasks are present, K.
    """

    values: Tensor
    parts: tuple[Tensor, ...]
    levels: Tensor
    present: Tensor
    known: tuple[float, ...]
    count: int

    @property
    def mask(self) -> Tensor | None:
        """``present``, or None when all tasks are there and nothing is to be masked."""
        return None if self.count == len(self.known) else self.present

    def softmax(self, logits: Tensor) -> Tensor:
        """Return the softmax of ``(T,)`` over the present tasks, 0 for the absent ones."""
        if self.mask is not None:
            logits = logits.masked_fill(~self.mask, float("-inf"))
        return logits.softmax(dim=0)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of ``(T,)`` over the present tasks, a scalar."""
        return (values if self.mask is None else values * self.mask).sum() / self.count


def gather_losses(tasks: tuple[str, ...], losses: Mapping[str, Tensor]) -> TaskLosses:
    """Check the losses of one step and put them in the order of ``tasks``.

    Raises:
        WeightingError: when there is none, or one is unknown, not a scalar tensor, or not finite.
    """
    _check(tasks, losses)
    dtype = reduce(torch.promote_types, (loss.dtype for loss in losses.values()), torch.float32)
    first = next(iter(losses.values()))
    complete = len(losses) == len(tasks)
    absent = first if complete else torch.zeros((), dtype=dtype, device=first.device)
    parts = tuple(losses.get(task, absent).to(dtype) for task in tasks)
    values = torch.stack(parts)
    levels = values.detach()
    if complete:
        present = torch.ones_like(levels, dtype=torch.bool)
    else:
        present = torch.tensor([task in losses for task in tasks], device=levels.device)
    if world_size() > 1:
        return _over_ranks(tasks, parts, levels, present)
    return TaskLosses(values, parts, levels, present, _finite(tasks, levels.tolist()), len(losses))


def weighted_sum(tasks: tuple[str, ...], losses: Mapping[str, Tensor], weights: Tensor) -> Tensor:
    """Return ``sum_i w_i L_i`` over the losses that are given, for constant weights ``(T,)``; all 0 count as all 1.

    Raises:
        WeightingError: as ``gather_losses``, but for losses that are not finite: nothing is learned from these.
    """
    _check(tasks, losses)
    weights = weights if bool(weights.any()) else torch.ones_like(weights)
    return torch.stack([weights[tasks.index(name)].to(loss.dtype) * loss for name, loss in losses.items()]).sum()


def _over_ranks(tasks: tuple[str, ...], parts: tuple[Tensor, ...], levels: Tensor, present: Tensor) -> TaskLosses:
    sums, counts = sum_over_ranks(torch.stack([levels, present.to(levels.dtype)]))
    share = counts.clamp_min(1)
    levels = sums / share
    known, found = torch.stack([levels, counts]).tolist()
    # Gradients are averaged over all ranks, but a task's mean is taken over those ranks that have it.
    parts = tuple(part * factor for part, factor in zip(parts, world_size() / share, strict=True))
    present, count = counts > 0, sum(number > 0 for number in found)
    return TaskLosses(torch.stack(parts), parts, levels, present, _finite(tasks, known), count)


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


def _finite(tasks: tuple[str, ...], levels: Sequence[float]) -> tuple[float, ...]:
    if not all(map(math.isfinite, levels)):
        found = {task: value for task, value in zip(tasks, levels, strict=True) if not math.isfinite(value)}
        raise WeightingError(
            f"Losses are not finite: {found}. No gradient was written; lower the learning rate, "
            "clip the gradients, or look at this batch."
        )
    return tuple(levels)
