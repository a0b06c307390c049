"""The two-task network: a shared trunk and one branch a task, all cut from one pretrained backbone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.networks.backbone import Backbone

IDENTITY = "identity"
EXPRESSION = "expression"


class Branch(nn.Module):
    """The upper stages of the backbone, its pooling and a head.

    Args:
        stages: the upper stages.
        pool: see `Backbone`.
        head: the last layer.
        grid: side of the feature map that the branch works on; the shared one is resized to it. None takes it as it is.
    """

    def __init__(self, stages: nn.Sequential, pool: nn.Module, head: nn.Module, grid: int | None = None) -> None:
        super().__init__()
        self.stages = stages
        self.pool = pool
        self.head = head
        self.grid = grid

    def forward(self, shared: Tensor) -> Tensor:
        """Map the shared features ``(N, C, H, W)`` to the task's output ``(N, outputs)``."""
        output: Tensor = self.head(self.pooled(shared))
        return output

    def pooled(self, shared: Tensor) -> Tensor:
        """Map the shared features to what the head reads, ``(N, pooled_size)``."""
        if self.grid and self.grid != shared.shape[-1]:
            shared = F.interpolate(shared, size=(self.grid, self.grid), mode="bilinear")
        features: Tensor = self.pool(self.stages(shared))
        return features


class FaceNetwork(nn.Module):
    """One look, several answers: ``stem`` -> ``trunk`` -> one branch a task.

    The branches are structurally alike, though one may leave stages out, and start from the same pretrained stages, as
    the paper transfers its face model into both. The stem is the part of the shared stages that training leaves as it
    is, so that its output may be cached.

    Batch normalisation inside stem and trunk always keeps the statistics that it was pretrained with, and so does that
    of the branches which are not named; its shifts are trained. The official code trains in the same way, with new
    statistics in the expression branch alone.

    Args:
        backbone: the pretrained network; its stages are taken over (the branches get copies).
        heads: the last layer of each task's branch, on pooled features, by task name.
        pools: by task, the pooling of its branch; the backbone's by default.
        split: number of shared stages.
        frozen: how many of these form the stem.
        stages: by task, the numbers of the stages that its branch takes over; by default all from ``split`` on. A
            shorter branch makes the second answer cheap.
        grids: by task, the side of the feature map that its branch works on; by default that of the shared features.
            A coarser one makes the second answer cheap.
        batch_norm: tasks whose branches normalise by the batch while they train; None for all.

    Raises:
        ValueError: not ``0 <= frozen <= split < number of stages``, or a branch without stages, with one twice, out of
            order or shared, or with stages that do not fit on each other.
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: Mapping[str, nn.Module],
        *,
        pools: Mapping[str, nn.Module] | None = None,
        split: int,
        frozen: int,
        stages: Mapping[str, Sequence[int]] | None = None,
        grids: Mapping[str, int] | None = None,
        batch_norm: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        available = list(backbone.stages)
        if not 0 <= frozen <= split < len(available):
            raise ValueError(f"frozen {frozen} and split {split} must satisfy 0 <= frozen <= split < {len(available)}")
        own = {task: list((stages or {}).get(task, range(split, len(available)))) for task in heads}
        for task, numbers in own.items():
            last = len(available) - 1
            if not numbers or numbers != sorted(set(numbers)) or numbers[0] < split or numbers[-1] > last:
                raise ValueError(
                    f"the {task} branch needs stages from {split} to {last} in rising order, not {numbers}"
                )
        self.normalize = backbone.normalize
        self.crop_size = backbone.crop_size
        self.embedding_size = backbone.embedding_size
        self.unit_length = backbone.unit_length
        self.stem = nn.Sequential(*available[:frozen]).requires_grad_(False)
        self.trunk = nn.Sequential(*available[frozen:split])
        copies = {task: nn.Sequential(*[deepcopy(available[n]) for n in numbers]) for task, numbers in own.items()}
        sides = grids or {}
        pooling = dict.fromkeys(heads, backbone.pool) | dict(pools or {})
        self.branches = nn.ModuleDict(
            {task: Branch(copies[task], pooling[task], heads[task], sides.get(task)) for task in heads}
        )
        self.batch_norm = frozenset(heads if batch_norm is None else batch_norm)
        self._check_fit()

    @torch.no_grad()
    def _check_fit(self) -> None:
        shared = self.eval().features(torch.zeros(1, 3, self.crop_size, self.crop_size))
        for task, branch in self.branches.items():
            try:
                branch(shared)
            except RuntimeError as error:
                raise ValueError(f"the stages of the {task} branch do not fit on each other: {error}") from error
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set the mode, as for every module, but leave batch statistics as they are where they are not trained."""
        super().train(mode)
        branches = [branch for task, branch in self.branches.items() if task not in self.batch_norm]
        for part in (self.stem, self.trunk, *branches):
            for module in part.modules():
                if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                    module.eval()
        return self

    def features(self, pixels: Tensor) -> Tensor:
        """Shared features ``(N, C, H, W)`` of RGB pixels ``(N, 3, S, S)`` of 0 to 255: what all branches read."""
        shared: Tensor = self.trunk(self.stem(self.normalize(pixels)))
        return shared

    def forward(self, pixels: Tensor, tasks: Collection[str] | None = None) -> dict[str, Tensor]:
        """Outputs by task: embeddings ``(N, D)``, expression logits ``(N, C)``.

        Embeddings have length 1 where the backbone's have; a branch alone returns features as they are trained.

        Args:
            pixels: RGB ``(N, 3, S, S)`` of 0 to 255.
            tasks: whose branches to run; None for all.
        """
        shared = self.features(pixels)
        wanted = self.branches if tasks is None else tasks
        outputs: dict[str, Tensor] = {task: self.branches[task](shared) for task in wanted}
        if self.unit_length and IDENTITY in outputs:
            outputs[IDENTITY] = F.normalize(outputs[IDENTITY])
        return outputs
