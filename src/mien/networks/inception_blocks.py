"""The blocks of Inception-ResNet-v1 (Szegedy et al., AAAI 2017) as David Sandberg's FaceNet has them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BATCH_NORM_EPS = 0.001
"""As in FaceNet and the official code."""

BATCH_NORM_MOMENTUM = 0.005
"""1 minus the decay of 0.995 in FaceNet and the official code."""


def conv(
    channels_in: int,
    channels_out: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> nn.Sequential:
    """A convolution without bias, a batch normalisation without trained scale, and a ReLU.

    The scale is a constant, as TensorFlow's layer has none: 1, or what a state dict brings along.
    """
    norm = nn.BatchNorm2d(channels_out, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)
    norm.weight.requires_grad_(False)
    layer = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False)
    return nn.Sequential(OrderedDict(conv=layer, bn=norm, relu=nn.ReLU()))


class Mixed(nn.Module):
    """Branches side by side on the same input, their outputs one after the other in channels."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, sum of the branches' channels, H', W')``."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class ResidualMixed(Mixed):
    """A `Mixed` and a 1x1 convolution, scaled, beside a skip.

    Args:
        branches: side by side.
        width: channels of all branches together.
        channels: of input and output.
        scale: of the residual.
        linear: leave out the ReLU after the sum.
    """

    def __init__(
        self, branches: Sequence[nn.Module], width: int, channels: int, scale: float, *, linear: bool = False
    ) -> None:
        super().__init__(branches)
        self.conv2d = nn.Conv2d(width, channels, 1)
        self.scale = scale
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        y = x + self.scale * self.conv2d(super().forward(x))
        return y if self.linear else F.relu(y)


def stem() -> nn.Sequential:
    """Six convolutions and a pooling, from 3 to 256 channels: 160 pixels become 17."""
    return nn.Sequential(
        OrderedDict(
            conv2d_1a=conv(3, 32, 3, stride=2),
            conv2d_2a=conv(32, 32, 3),
            conv2d_2b=conv(32, 64, 3, padding=1),
            maxpool_3a=nn.MaxPool2d(3, 2),
            conv2d_3b=conv(64, 80, 1),
            conv2d_4a=conv(80, 192, 3),
            conv2d_4b=conv(192, 256, 3, stride=2),
        )
    )


def block35() -> ResidualMixed:
    """Three branches of 32 channels on 256."""
    one = conv(256, 32, 1)
    two = nn.Sequential(conv(256, 32, 1), conv(32, 32, 3, padding=1))
    three = nn.Sequential(conv(256, 32, 1), conv(32, 32, 3, padding=1), conv(32, 32, 3, padding=1))
    return ResidualMixed([one, two, three], 96, 256, scale=0.17)


def reduction_a() -> Mixed:
    """From 256 to 896 channels, at half the resolution."""
    two = nn.Sequential(conv(256, 192, 1), conv(192, 192, 3, padding=1), conv(192, 256, 3, stride=2))
    return Mixed([conv(256, 384, 3, stride=2), two, nn.MaxPool2d(3, 2)])


def block17() -> ResidualMixed:
    """Two branches of 128 channels on 896; one looks seven pixels far each way."""
    two = nn.Sequential(
        conv(896, 128, 1), conv(128, 128, (1, 7), padding=(0, 3)), conv(128, 128, (7, 1), padding=(3, 0))
    )
    return ResidualMixed([conv(896, 128, 1), two], 256, 896, scale=0.10)


def reduction_b() -> Mixed:
    """From 896 to 1792 channels, at half the resolution."""
    one = nn.Sequential(conv(896, 256, 1), conv(256, 384, 3, stride=2))
    two = nn.Sequential(conv(896, 256, 1), conv(256, 256, 3, stride=2))
    three = nn.Sequential(conv(896, 256, 1), conv(256, 256, 3, padding=1), conv(256, 256, 3, stride=2))
    return Mixed([one, two, three, nn.MaxPool2d(3, 2)])


def block8(*, last: bool = False) -> ResidualMixed:
    """Two branches of 192 channels on 1792; the network's last block scales nothing and ends without a ReLU."""
    two = nn.Sequential(
        conv(1792, 192, 1), conv(192, 192, (1, 3), padding=(0, 1)), conv(192, 192, (3, 1), padding=(1, 0))
    )
    return ResidualMixed([conv(1792, 192, 1), two], 384, 1792, scale=1.0 if last else 0.20, linear=last)
