"""The improved residual networks of InsightFace's ArcFace line, for crops of 112 pixels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from mien.networks.backbone import Backbone
from mien.networks.normalization import PixelNormalization

CROP_SIZE = 112
"""Side in pixels of ArcFace's crops."""

EMBEDDING_SIZE = 512

BATCH_NORM_EPS = 1e-5

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of 64, 128, 256 and 512 channels, by the network's number."""

_CHANNELS = (64, 128, 256, 512)
_LAST_SIDE = 7  # of the last feature map, at 112 pixels


class ImprovedBlock(nn.Module):
    """Normalise, convolve, normalise, PReLU, convolve, normalise; no activation after the sum with the skip.

    The block of ArcFace (Deng et al., CVPR 2019, section 3.1); the second convolution has the stride.
    """

    def __init__(self, channels_in: int, channels_out: int, *, down: bool) -> None:
        super().__init__()
        stride = 2 if down else 1
        self.bn1 = _norm(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.bn2 = _norm(channels_out)
        self.prelu = nn.PReLU(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, stride, padding=1, bias=False)
        self.bn3 = _norm(channels_out)
        self.downsample: nn.Module = nn.Identity()
        if down:
            shortcut = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, _norm(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, H', W')``."""
        inner = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y: Tensor = self.bn3(self.conv2(inner)) + self.downsample(x)
        return y


def iresnet(depth: Sequence[int]) -> Backbone:
    """Build the backbone with random weights; its embedding is 512-d at length 1.

    Stage 0 is the first convolution, then comes one stage a block; the first block of each of the four groups halves
    the resolution, and the last stage ends with the network's last batch normalisation, at ``(N, 512, 7, 7)``.

    Args:
        depth: blocks of 64, 128, 256 and 512 channels, see `DEPTHS`.
    """
    first = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    stages: list[nn.Module] = [nn.Sequential(OrderedDict(conv1=first, bn1=_norm(64), prelu=nn.PReLU(64)))]
    channels_in = 64
    for channels, count in zip(_CHANNELS, depth, strict=True):
        for number in range(count):
            stages.append(ImprovedBlock(channels_in, channels, down=number == 0))
            channels_in = channels
    stages[-1] = nn.Sequential(OrderedDict(block=stages[-1], bn2=_norm(channels_in)))
    pooled_size = channels_in * _LAST_SIDE**2
    features = nn.BatchNorm1d(EMBEDDING_SIZE, eps=BATCH_NORM_EPS)
    features.weight.requires_grad_(False)  # a constant 1 in ArcFace's code
    backbone = Backbone(
        nn.ModuleList(stages),
        nn.Flatten(),
        nn.Sequential(OrderedDict(fc=nn.Linear(pooled_size, EMBEDDING_SIZE), features=features)),
        pooled_size=pooled_size,
        embedding_size=EMBEDDING_SIZE,
        unit_length=True,
        crop_size=CROP_SIZE,
        normalize=PixelNormalization((127.5, 127.5, 127.5), 127.5),
    )
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.1)  # as ArcFace's code starts
    return backbone


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS)
