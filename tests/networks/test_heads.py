from __future__ import annotations

import torch
from torch import nn

from mien.networks import hidden_head, linear_head


def test_the_official_layers() -> None:
    head = hidden_head(1792, 6, 0.5)
    assert [type(layer) for layer in head] == [nn.Dropout, nn.Linear, nn.ReLU, nn.Linear]
    assert sum(parameter.numel() for parameter in head.parameters()) == 230_278
    assert max(parameter.abs().max().item() for parameter in head.parameters()) <= 0.2
    assert head(torch.randn(200, 1792)).min() < 0


def test_the_official_quirk() -> None:
    assert hidden_head(20, 6, 0.0, rectified=True)(torch.randn(200, 20)).min() == 0


def test_a_linear_head() -> None:
    head = linear_head(20, 7, 0.3)
    assert head(torch.zeros(2, 20)).shape == (2, 7)
    assert head[0].p == 0.3
