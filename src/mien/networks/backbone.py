"""A pretrained network cut into numbered stages, the raw material of a two-task network."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class GlobalAverage(nn.Module):
    """The mean of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C)``."""
        return x.mean(dim=(2, 3))


class Backbone(nn.Module):
    """Numbered stages, a pooling and an embedding.

    Attributes:
        stages: the network from pixels to the last feature map, in order; a split after stage ``k`` shares
            ``stages[:k]`` and branches with ``stages[k:]``.
        pool: from the last feature map to one vector, ``(N, C, H, W)`` to ``(N, pooled_size)``; without parameters.
        pooled_size: length of that vector.
        embedding: from the pooled vector to the identity features ``(N, embedding_size)`` that are trained.
        embedding_size: D.
        unit_length: whether the network's answer is these features at length 1. What compares faces by the angle
            between features then compares them by Euclidean distance just as well.
        crop_size: side in pixels of the crops that the network is made for.
        normalize: pixel normalisation, of RGB of 0 to 255; without parameters.
    """

    def __init__(
        self,
        stages: nn.ModuleList,
        pool: nn.Module,
        embedding: nn.Module,
        *,
        pooled_size: int,
        embedding_size: int,
        unit_length: bool,
        crop_size: int,
        normalize: nn.Module,
    ) -> None:
        super().__init__()
        self.stages = stages
        self.pool = pool
        self.embedding = embedding
        self.pooled_size = pooled_size
        self.embedding_size = embedding_size
        self.unit_length = unit_length
        self.crop_size = crop_size
        self.normalize = normalize

    @property
    def one_size(self) -> bool:
        """Whether crops must have exactly ``crop_size``: what is not averaged has weights for each place."""
        return not isinstance(self.pool, GlobalAverage)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return embeddings ``(N, D)`` of RGB pixels ``(N, 3, S, S)`` of 0 to 255."""
        x = self.normalize(pixels)
        for stage in self.stages:
            x = stage(x)
        features: Tensor = self.embedding(self.pool(x))
        return F.normalize(features) if self.unit_length else features
