"""Softmax on angles with a margin: ArcFace and CosFace."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEAST_SQUARED_SINE = 1e-12  # keeps the slope of the square root finite where an embedding meets its centre


class MarginLoss(nn.Module, ABC):
    """Cross-entropy over ``scale`` times the cosines between embeddings and one learned centre a class.

    The cosine with an embedding's own class is made smaller before the softmax, so that a class must be closer than
    all others by a margin. Embeddings and centres count by their direction alone. Without a margin this is the softmax
    of scaled cosines (NormFace). Cosines and softmax are computed in float32 at least, without autocast.

    Args:
        classes: number of classes.
        size: size of the embedding, D.
        margin: how much; see the class.
        scale: factor of the cosines, above 0.

    Attributes:
        weight: the centres, ``(classes, D)``; trained like any weights.
    """

    def __init__(self, classes: int, size: int, margin: float, scale: float) -> None:
        super().__init__()
        self.margin = margin
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, size))
        nn.init.normal_(self.weight, std=0.01)  # as ArcFace's code starts

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of ``(N, D)`` embeddings and ``(N,)`` int64 labels in [0, classes)."""
        with torch.autocast(embeddings.device.type, enabled=False):
            at_least_single = torch.promote_types(embeddings.dtype, torch.float32)
            cosine = F.linear(F.normalize(embeddings.to(at_least_single)), F.normalize(self.weight.to(at_least_single)))
            own = cosine.gather(1, labels[:, None])
            logits = cosine.scatter(1, labels[:, None], self.reduced(own))
            return F.cross_entropy(self.scale * logits, labels)

    @abstractmethod
    def reduced(self, cosine: Tensor) -> Tensor:
        """What stands for the cosine with the own class; any shape, elementwise."""


class ArcFaceLoss(MarginLoss):
    """An angular margin (Deng et al., ArcFace, CVPR 2019, equation 3): cos(theta + m) for cos(theta).

    Beyond theta = pi - m that would rise again, and reward an embedding for being still farther off. There it is
    cos(theta) - m sin(m), as in the authors' code: it goes on falling, after a step down of cos(m) + m sin(m) - 1
    (0.12 at m = 0.5).

    Args:
        classes: number of classes.
        size: size of the embedding, D.
        margin: m in radians, in [0, pi / 2]; 0.5 in the paper.
        scale: 64 in the paper.
    """

    def __init__(self, classes: int, size: int, margin: float = 0.5, scale: float = 64.0) -> None:
        if not 0 <= margin <= math.pi / 2:
            raise ValueError(f"margin is {margin} radians; give one from 0 to pi/2")
        super().__init__(classes, size, margin, scale)

    def reduced(self, cosine: Tensor) -> Tensor:
        """``cos(theta + m)``, or ``cos(theta) - m sin(m)`` beyond ``pi - m``."""
        sine = (1 - cosine.square()).clamp_min(_LEAST_SQUARED_SINE).sqrt()
        rotated = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine > -math.cos(self.margin), rotated, beyond)


class CosFaceLoss(MarginLoss):
    """A margin on the cosine (Wang et al., CosFace, CVPR 2018, equation 4): cos(theta) - m.

    Args:
        classes: number of classes.
        size: size of the embedding, D.
        margin: m; 0.35 in the CosFace paper, 0.4 in InsightFace's training code.
        scale: 64 in both.
    """

    def __init__(self, classes: int, size: int, margin: float = 0.35, scale: float = 64.0) -> None:
        super().__init__(classes, size, margin, scale)

    def reduced(self, cosine: Tensor) -> Tensor:
        """``cos(theta) - m``."""
        return cosine - self.margin
