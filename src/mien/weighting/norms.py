"""Norms of the tasks' gradients at parameters that all share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.graph import nodes_between, require_repeatable
from mien.weighting.losses import TaskLosses
from mien.weighting.ranks import mean_over_ranks


def trained(reader: str, shared_parameters: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Return the parameters that are trained; raise ``WeightingError`` when there are none."""
    found = tuple(parameter for parameter in shared_parameters if parameter.requires_grad)
    if not found:
        raise WeightingError(
            f"{reader} needs `shared_parameters` that are trained: the weights of the last layer that all share."
        )
    return found


def gradient_norms(reader: str, tasks: Sequence[str], losses: TaskLosses, shared: Sequence[Tensor]) -> Tensor:
    """Return the norms ``(T,)`` of the losses' gradients, 0 for absent tasks; of the mean gradient over the ranks.

    The graphs stay as they are. In float32 or wider.

    Raises:
        WeightingError: when the parameters are frozen, or not in the graph of a loss, or lie below something that
            cannot be differentiated more than once.
    """
    shared = [parameter for parameter in shared if parameter.requires_grad]
    if not shared:
        raise WeightingError(f"{reader}'s shared parameters are all frozen: there is no gradient to compare.")
    attached = {task: loss for task, loss in zip(tasks, losses.parts, strict=True) if loss.requires_grad}
    require_repeatable(reader, nodes_between(list(attached.values()), shared))
    found = {task: _gradients(reader, task, loss, shared) for task, loss in attached.items()}
    if outside := [task for task, gradients in found.items() if all(each is None for each in gradients)]:
        raise WeightingError(
            f"{reader}'s shared parameters are not in the graphs of the losses of {outside}: give it those of the "
            "network that made the losses, not a copy's, and none behind a reentrant checkpoint."
        )
    nothing: list[Tensor | None] = [None] * len(shared)
    rows = mean_over_ranks(torch.stack([_row(found.get(task, nothing), shared) for task in tasks]))
    largest = rows.abs().amax(dim=1).clamp_min(torch.finfo(rows.dtype).tiny)
    norms: Tensor = largest * torch.linalg.vector_norm(rows / largest[:, None], dim=1)  # squares alone might overflow
    return norms


def _gradients(reader: str, task: str, loss: Tensor, shared: Sequence[Tensor]) -> Sequence[Tensor | None]:
    try:
        return torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True)
    except RuntimeError as error:  # of autograd's many reasons
        raise WeightingError(f"{reader} cannot differentiate the loss of {task!r}: {error}") from error


def _row(gradients: Sequence[Tensor | None], shared: Sequence[Tensor]) -> Tensor:
    """All gradients as one vector, in float32 or wider."""
    parts = [torch.zeros_like(p) if given is None else given for given, p in zip(gradients, shared, strict=True)]
    flat = torch.cat([part.flatten() for part in parts])
    return flat.to(torch.promote_types(flat.dtype, torch.float32))
