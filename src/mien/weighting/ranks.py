"""Agreement between the processes of a distributed run; everything here is the identity in a single process."""

from __future__ import annotations

from itertools import chain

import torch
import torch.distributed as dist
from torch import Tensor, nn


def world_size() -> int:
    """Return the number of processes of the default group, 1 without an initialised group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def sum_over_ranks(tensor: Tensor) -> Tensor:
    """Return the detached sum of ``tensor`` over all ranks, the same on each; any shape."""
    total = tensor.detach()
    if world_size() > 1:
        total = total.clone()
        dist.all_reduce(total)
    return total


def mean_over_ranks(tensor: Tensor) -> Tensor:
    """Return the detached mean of ``tensor`` over all ranks, the same on each; any shape."""
    ranks = world_size()
    return tensor.detach() if ranks == 1 else sum_over_ranks(tensor) / ranks


def copy_first_rank(tensor: Tensor) -> None:
    """Overwrite ``tensor`` on every rank by what the first rank has."""
    if world_size() > 1:
        dist.broadcast(tensor, src=0)


def copy_first_module(module: nn.Module) -> None:
    """Overwrite parameters and buffers on every rank by those of the first, as ranks may have drawn different ones."""
    for tensor in chain(module.parameters(), module.buffers()):
        copy_first_rank(tensor.detach())


def average_gradients(module: nn.Module) -> None:
    """Replace the gradients of a module that no ``DistributedDataParallel`` holds by their mean over all ranks.

    Safe to call after each backward pass of an accumulation: what was averaged before stays as it is.
    """
    if world_size() == 1:
        return
    for parameter in module.parameters():
        if parameter.requires_grad:
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = mean_over_ranks(gradient)
