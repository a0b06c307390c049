"""dlib's face ResNet of 2017: 29 convolutions, 5.6 M parameters, a 128-d embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.networks.backbone import Backbone, GlobalAverage
from mien.networks.normalization import PixelNormalization

CROP_SIZE = 150
"""Side in pixels of the crops that the published weights were trained on."""

EMBEDDING_SIZE = 128

PIXEL_MEAN = (122.782, 117.001, 104.298)
"""Mean of the red, green and blue channel, as in dlib's ``input_rgb_image_sized``."""

PIXEL_SCALE = 256.0


class Affine(nn.Module):
    """A scale and a shift a channel: what is left of batch normalisation once its statistics are folded in."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels), persistent=False)
        self.register_buffer("variance", torch.ones(channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift ``(N, C, H, W)``; as a batch normalisation with fixed statistics, which is a fast kernel."""
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, training=False, eps=0.0)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a skip; a ``down`` block halves the resolution.

    A down block convolves with stride 2 and no padding and average-pools its skip, so both sides may differ by a pixel
    and in channels; dlib pads the smaller one with zeros at the end, and so does this.
    """

    def __init__(self, channels_in: int, channels_out: int, *, down: bool = False) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding)
        self.norm1: nn.Module = Affine(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1)
        self.norm2: nn.Module = Affine(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, H', W')``."""
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.down:
            x = F.avg_pool2d(x, 2)
            size = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]
            x, y = _pad_to(x, size), _pad_to(y, size)
        return F.relu(x + y)


def _pad_to(x: Tensor, size: list[int]) -> Tensor:
    missing = [wanted - have for wanted, have in zip(size, x.shape[1:], strict=True)]
    if not any(missing):
        return x
    channels, height, width = missing
    return F.pad(x, (0, width, 0, height, 0, channels))


def resnet29() -> Backbone:
    """Build the backbone with random weights: 15 stages, numbered from 0, that end in ``(N, 256, 2, 2)`` at 150 px.

    Stage 0 is the 7x7 convolution with its pooling; stages 1-3 have 32 channels, 4-7 have 64, 8-10 have 128 and
    11-14 have 256; 4, 8, 11 and 14 are down blocks. At 150 px stage 7 returns ``(N, 64, 17, 17)``.
    """
    stem = nn.Sequential(nn.Conv2d(3, 32, 7, 2), Affine(32), nn.ReLU(), nn.MaxPool2d(3, 2))
    blocks = [ResidualBlock(32, 32) for _ in range(3)]
    blocks += [ResidualBlock(32, 64, down=True)] + [ResidualBlock(64, 64) for _ in range(3)]
    blocks += [ResidualBlock(64, 128, down=True)] + [ResidualBlock(128, 128) for _ in range(2)]
    blocks += [ResidualBlock(128, 256, down=True)] + [ResidualBlock(256, 256) for _ in range(2)]
    blocks += [ResidualBlock(256, 256, down=True)]
    return Backbone(
        nn.ModuleList([stem, *blocks]),
        GlobalAverage(),
        nn.Linear(256, EMBEDDING_SIZE, bias=False),
        pooled_size=256,
        embedding_size=EMBEDDING_SIZE,
        unit_length=False,
        crop_size=CROP_SIZE,
        normalize=PixelNormalization(PIXEL_MEAN, PIXEL_SCALE),
    )
