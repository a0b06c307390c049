"""Last layers of the expression branch, on pooled features."""

from __future__ import annotations

from torch import nn

HIDDEN_SIZE = 128
"""Of the official code's expression branch."""


def linear_head(pooled_size: int, classes: int, dropout: float) -> nn.Sequential:
    """Dropout and one linear layer, ``(N, pooled_size)`` to logits ``(N, classes)``."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(pooled_size, classes))


def hidden_head(pooled_size: int, classes: int, dropout: float, *, rectified: bool = False) -> nn.Sequential:
    """The official code's layers: dropout, 128 units with a ReLU, and the classes.

    Weights start from a normal distribution of 0.1, cut at two deviations, biases at 0, as there.

    Args:
        pooled_size: length of the pooled features.
        classes: number of expressions.
        dropout: probability of dropping a feature; the official command has 0.5.
        rectified: also put the official code's ReLU on the class logits. It cannot vote against a class, and an image
            whose logits are all negative teaches nothing.
    """
    hidden, last = nn.Linear(pooled_size, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, classes)
    for layer in (hidden, last):
        nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
        nn.init.zeros_(layer.bias)
    layers = [nn.Dropout(dropout), hidden, nn.ReLU(), last]
    return nn.Sequential(*layers, nn.ReLU()) if rectified else nn.Sequential(*layers)
