"""A training step of a small convolutional network with several tasks, with a weighting method or torchjd directly."""

from __future__ import annotations

import warnings
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchjd.autojac import jac_to_grad, mtl_backward

from mien.weighting import build_weighting, parameter_groups
from mien.weighting.aggregators import AggregatorName, build_aggregator

BATCH, SIDE, CHANNELS, CLASSES = 64, 32, 64, 10


class Network(nn.Module):
    """Four shared convolutions, and for each task a branch of one convolution and a linear layer."""

    def __init__(self, tasks: list[str]) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_block(3, 16), *_block(16, 32, stride=2), *_block(32, 32))
        self.last = nn.Conv2d(32, CHANNELS, 3, stride=2, padding=1)
        self.branches = nn.ModuleDict({task: _branch() for task in tasks})

    def forward(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses and the shared features, for images ``(N, 3, H, W)`` and labels ``(T, N)``."""
        shared = F.relu(self.last(self.stem(images)))
        losses = {
            task: F.cross_entropy(branch(shared), labels[i]) for i, (task, branch) in enumerate(self.branches.items())
        }
        return losses, shared


class Step:
    """One training step with a method of the registry.

    Args:
        method: its name.
        tasks: number of tasks.
    """

    def __init__(self, method: str, tasks: int) -> None:
        warnings.filterwarnings("ignore", message="You are solving a parameterized problem")  # Nash-MTL's solver
        torch.manual_seed(0)
        names = [f"task{i}" for i in range(tasks)]
        self.network = Network(names)
        self.images = torch.randn(BATCH, 3, SIDE, SIDE)
        self.labels = torch.randint(CLASSES, (tasks, BATCH))
        weights = dict.fromkeys(names, 1 / tasks) if method == "fixed" else None
        shared = [self.network.last.weight]
        self.weighting = build_weighting(
            method, names, (CHANNELS, SIDE // 4, SIDE // 4), weights, shared_parameters=shared
        )
        self.optimizer = torch.optim.AdamW(parameter_groups(self.network, self.weighting, lr=1e-4))

    def __call__(self) -> None:
        """Make the step."""
        losses, shared = self.network(self.images, self.labels)
        self.optimizer.zero_grad()
        self.backward(losses, shared)
        self.optimizer.step()
        if self.weighting.needs_losses_after_step:
            with torch.no_grad():
                self.weighting.after_step(self.network(self.images, self.labels)[0])

    def backward(self, losses: dict[str, Tensor], shared: Tensor) -> None:
        """Write the gradients."""
        self.weighting.backward(losses, features=shared)


class DirectStep(Step):
    """The same with torchjd used as its documentation shows."""

    def __init__(self, method: str, tasks: int) -> None:
        super().__init__(method, tasks)
        name = next(name for name in get_args(AggregatorName) if name == method)
        self.aggregator = build_aggregator(name, tasks)
        self.shared = [*self.network.stem.parameters(), *self.network.last.parameters()]

    def backward(self, losses: dict[str, Tensor], shared: Tensor) -> None:
        """Write the gradients."""
        mtl_backward(list(losses.values()), features=shared, parallel_chunk_size=1)
        jac_to_grad(self.shared, self.aggregator)


def _block(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]


def _branch() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, CLASSES)
    )
