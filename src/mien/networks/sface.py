"""SFace's network (OpenCV Zoo): MobileNet's separable convolutions on crops of 112 pixels, and a 128-d embedding."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from mien.networks.backbone import Backbone
from mien.networks.normalization import PixelNormalization

CROP_SIZE = 112
"""Side in pixels of the crops: those of ArcFace's template."""

EMBEDDING_SIZE = 128

BATCH_NORM_EPS = 1e-3

_FIRST = 32

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *5 * ((512, 1),), (1024, 2), (1024, 1))
"""Channels and stride of each separable block: MobileNet's (Howard et al. 2017, arXiv 1704.04861, table 1), whose first
convolution has a stride of 1 here."""

_LAST_SIDE = 7  # of the last feature map, at 112 pixels


def sface() -> Backbone:
    """Build the backbone with random weights: 27 stages, numbered from 0, that end in ``(N, 1024, 7, 7)``.

    Stage 0 is a 3x3 convolution. Each separable block then has two stages, a 3x3 depthwise convolution (odd numbers)
    and a 1x1 convolution (even numbers), all followed by batch normalization and PReLU. At 112 pixels stage 3 halves
    the resolution to 56, stage 7 to 28, stage 11 to 14 and stage 23 to 7; stage 11 returns ``(N, 256, 14, 14)``, stages
    12 to 22 return ``(N, 512, 14, 14)``. The batch normalizations around the published network's last layer are part of
    that layer here; in inference that is the same.
    """
    stages: list[nn.Module] = [_unit(3, _FIRST, kernel=3)]
    channels_in = _FIRST
    for channels, stride in _BLOCKS:
        stages.append(_unit(channels_in, channels_in, kernel=3, stride=stride, groups=channels_in))
        stages.append(_unit(channels_in, channels, kernel=1))
        channels_in = channels
    pooled_size = channels_in * _LAST_SIDE**2
    return Backbone(
        nn.ModuleList(stages),
        nn.Flatten(),
        nn.Linear(pooled_size, EMBEDDING_SIZE),
        pooled_size=pooled_size,
        embedding_size=EMBEDDING_SIZE,
        unit_length=True,
        crop_size=CROP_SIZE,
        normalize=PixelNormalization((127.5, 127.5, 127.5), 128.0),
    )


def _unit(channels_in: int, channels_out: int, *, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch normalization, PReLU."""
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    norm = nn.BatchNorm2d(channels_out, eps=BATCH_NORM_EPS)
    return nn.Sequential(OrderedDict(conv=convolution, bn=norm, prelu=nn.PReLU(channels_out)))
