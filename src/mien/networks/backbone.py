"""A pretrained network cut into numbered stages, the raw material of a two-task network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PixelNormalization(nn.Module):
    """Subtract each channel's mean and divide by one scale."""

    mean: Tensor

    def __init__(self, mean: Sequence[float], scale: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.scale = scale

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalise RGB ``(N, 3, H, W)`` of 0 to 255."""
        return (pixels - self.mean) / self.scale


class Backbone(nn.Module):
    """Numbered stages, a global average and a linear embedding.

    Attributes:
        stages: the network from pixels to the last feature map, in order; a split after stage ``k`` shares
            ``stages[:k]`` and branches with ``stages[k:]``.
        embedding: the linear layer from the pooled features to the identity embedding.
        crop_size: side in pixels of the crops that the network is made for.
        normalize: pixel normalisation.
    """

    def __init__(
        self,
        stages: nn.ModuleList,
        embedding: nn.Linear,
        crop_size: int,
        pixel_mean: Sequence[float],
        pixel_scale: float,
    ) -> None:
        super().__init__()
        self.stages = stages
        self.embedding = embedding
        self.crop_size = crop_size
        self.normalize = PixelNormalization(pixel_mean, pixel_scale)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return embeddings ``(N, D)`` of RGB pixels ``(N, 3, H, W)`` of 0 to 255."""
        x = self.normalize(pixels)
        for stage in self.stages:
            x = stage(x)
        embedding: Tensor = self.embedding(x.mean(dim=(2, 3)))
        return embedding
