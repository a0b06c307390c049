"""Inception-ResNet-v1, full as in FaceNet and reduced as in the paper's official code."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from torch import nn

from mien.networks.backbone import Backbone, GlobalAverage
from mien.networks.inception_blocks import (
    BATCH_NORM_EPS,
    BATCH_NORM_MOMENTUM,
    block8,
    block17,
    block35,
    reduction_a,
    reduction_b,
    stem,
)
from mien.networks.normalization import ImageStandardization, PixelNormalization

CROP_SIZE = 160
"""Side in pixels of FaceNet's crops, and of the official code's."""

POOLED_SIZE = 1792


class Blocks(NamedTuple):
    """How many residual blocks of each kind; one more block8, the last, follows them."""

    block35: int
    block17: int
    block8: int


FULL = Blocks(5, 10, 5)
REDUCED = Blocks(1, 1, 1)


def inception_resnet_v1() -> Backbone:
    """Build the full network with random weights: 24 stages, numbered from 0, and a 512-d embedding of length 1.

    Stage 0 is the stem, 1-5 are block35, 6 is reduction-A, 7-16 are block17, 17 is reduction-B (``Mixed_7a``), 18-23
    are block8. 22.5 M parameters before the embedding. Pixels become ``(x - 127.5) / 128``, as the published weights
    want them.
    """
    norm = nn.BatchNorm1d(512, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)
    norm.weight.requires_grad_(False)
    return Backbone(
        _stages(FULL),
        GlobalAverage(),
        nn.Sequential(OrderedDict(last_linear=nn.Linear(POOLED_SIZE, 512, bias=False), last_bn=norm)),
        pooled_size=POOLED_SIZE,
        embedding_size=512,
        unit_length=True,
        crop_size=CROP_SIZE,
        normalize=PixelNormalization((127.5, 127.5, 127.5), 128.0),
    )


def inception_resnet_v1_reduced() -> Backbone:
    """Build the official code's network with random weights: 7 stages, numbered from 0, no layer after the pooling.

    Stage 0 is the stem, 1 block35, 2 reduction-A, 3 block17, 4 reduction-B, 5 and 6 are block8. The paper splits after
    reduction-B: ``split=5`` shares 6.43 M parameters, and each branch has 3.20 M. The embedding is the pooled 1792-d
    vector at length 1. Images are standardised one by one.
    """
    return Backbone(
        _stages(REDUCED),
        GlobalAverage(),
        nn.Identity(),
        pooled_size=POOLED_SIZE,
        embedding_size=POOLED_SIZE,
        unit_length=True,
        crop_size=CROP_SIZE,
        normalize=ImageStandardization(),
    )


def _stages(blocks: Blocks) -> nn.ModuleList:
    stages = nn.ModuleList([stem()])
    stages.extend(block35() for _ in range(blocks.block35))
    stages.append(reduction_a())
    stages.extend(block17() for _ in range(blocks.block17))
    stages.append(reduction_b())
    stages.extend(block8() for _ in range(blocks.block8))
    stages.append(block8(last=True))
    for module in stages.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return stages
