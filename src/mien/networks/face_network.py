"""The two-task network: a shared trunk and one branch a task, all cut from one pretrained backbone."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from torch import Tensor, nn

from mien.networks.backbone import Backbone

IDENTITY = "identity"
EXPRESSION = "expression"


class Branch(nn.Module):
    """The upper stages of the backbone, a global average and a head."""

    def __init__(self, stages: nn.Sequential, head: nn.Module) -> None:
        super().__init__()
        self.stages = stages
        self.head = head

    def forward(self, shared: Tensor) -> Tensor:
        """Map the shared features ``(N, C, H, W)`` to the task's output ``(N, outputs)``."""
        output: Tensor = self.head(self.stages(shared).mean(dim=(2, 3)))
        return output


class FaceNetwork(nn.Module):
    """One look, several answers: ``stem`` -> ``trunk`` -> one branch a task.

    The branches are structurally alike, though one may end earlier, and start from the same pretrained stages, as the
    paper transfers its face model into both. The stem is the part of the shared stages that training leaves as it is,
    so that its output may be cached.

    Args:
        backbone: the pretrained network; its stages are taken over (the branches get copies).
        heads: the last layer of each task's branch, on pooled features, by task name.
        split: number of shared stages.
        frozen: how many of these form the stem.
        ends: by task, the number of the stage before which its branch ends; by default all branches have all stages.
            The last stages hold most of the weights, whose transport is what a single face costs.

    Raises:
        ValueError: not ``0 <= frozen <= split < end <= number of stages``.
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: Mapping[str, nn.Module],
        *,
        split: int,
        frozen: int,
        ends: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        stages = list(backbone.stages)
        end_of = {task: (ends or {}).get(task, len(stages)) for task in heads}
        if not 0 <= frozen <= split < min(end_of.values()) <= max(end_of.values()) <= len(stages):
            raise ValueError(
                f"frozen {frozen}, split {split} and ends {end_of} must satisfy "
                f"0 <= frozen <= split < end <= {len(stages)}"
            )
        self.normalize = backbone.normalize
        self.crop_size = backbone.crop_size
        self.embedding_size = backbone.embedding.out_features
        self.stem = nn.Sequential(*stages[:frozen]).requires_grad_(False)
        self.trunk = nn.Sequential(*stages[frozen:split])
        self.branches = nn.ModuleDict(
            {task: Branch(nn.Sequential(*deepcopy(stages[split : end_of[task]])), head) for task, head in heads.items()}
        )

    def features(self, pixels: Tensor) -> Tensor:
        """Shared features ``(N, C, H, W)`` of RGB pixels ``(N, 3, S, S)`` of 0 to 255: what all branches read."""
        shared: Tensor = self.trunk(self.stem(self.normalize(pixels)))
        return shared

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Outputs by task: embeddings ``(N, D)``, expression logits ``(N, C)``."""
        shared = self.features(pixels)
        return {task: branch(shared) for task, branch in self.branches.items()}
