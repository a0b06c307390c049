"""From RGB pixels of 0 to 255 to what a network was trained on."""

from __future__ import annotations

import math
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


class ImageStandardization(nn.Module):
    """Give each image mean 0 and variance 1 over all its pixels and channels.

    The standard deviation counts as at least ``1 / sqrt(3 H W)``, so that an even image becomes 0: TensorFlow's
    ``per_image_standardization``, through which the official code feeds its network.
    """

    def forward(self, pixels: Tensor) -> Tensor:
        """Standardise ``(N, 3, H, W)``."""
        centered = pixels - pixels.mean(dim=(1, 2, 3), keepdim=True)
        deviation = centered.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return centered / deviation.clamp_min(1 / math.sqrt(pixels[0].numel()))
