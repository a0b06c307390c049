"""A small network with three tasks, and any method of the registry for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.weighting import REGISTRY, TaskWeighting, build_weighting

TASKS = ["a", "b", "c"]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.last = nn.Sequential(nn.Linear(5, 8), nn.Tanh()), nn.Linear(8, 6)
        self.heads = nn.ModuleDict({task: nn.Linear(6, 1) for task in TASKS})

    def forward(self, inputs: Tensor, tasks: Sequence[str] = TASKS) -> tuple[dict[str, Tensor], Tensor]:
        shared = torch.tanh(self.last(self.trunk(inputs)))
        goals = {"a": inputs[:, :1], "b": 3 * inputs[:, 1:2].cos(), "c": inputs.norm(dim=1, keepdim=True)}
        return {task: (self.heads[task](shared) - goals[task]).square().mean() for task in tasks}, shared


def make(name: str, net: Net) -> TaskWeighting:
    weights = {"a": 0.5, "b": 0.2, "c": 0.3} if REGISTRY[name].needs_weights else None
    return build_weighting(name, TASKS, 6, weights, shared_parameters=[net.last.weight])
