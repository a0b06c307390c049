"""The dynamic weight unit: from shared features to task weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import WeightingError
from mien.weighting.features import Features, all_images

FeatureShape = int | Sequence[int]
"""The size of the features of one image: a number, or a shape such as ``(C, H, W)`` that is flattened.

Of several feature tensors the number of all values together."""

LARGEST_SCALE = 100.0
"""With a larger norm of the logits the softmax would be a choice: in float32 all weights but one would be 0."""

_ROUNDS = 200

NORM_FLOOR = 1e-5
"""Smallest norm divided by; the official code has 1e-10 under the square root."""


def weight_bounds(tasks: int, scale: float = 1.0) -> tuple[float, float]:
    r"""Return the smallest and the largest weight that normalised logits of norm ``scale`` can give to one of T tasks.

    :math:`1 / (1 + (T - 1) e^{\pm s \sqrt{T / (T - 1)}})`: one logit against all others, which are equal. With three
    tasks or more and a large scale the smallest is smaller still: where the others are not equal, but one stands out.

    Args:
        tasks: T, at least 1.
        scale: s, above 0. Default 1, that of the paper's published curves.

    Raises:
        WeightingError: the scale is not above 0, or larger than `LARGEST_SCALE`.

    Example:
        >>> [round(bound, 3) for bound in weight_bounds(2)], [round(bound, 3) for bound in weight_bounds(3)]
        ([0.196, 0.804], [0.128, 0.63])
    """
    if not 0 < scale <= LARGEST_SCALE:
        raise WeightingError(f"`scale` must be positive, and at most {LARGEST_SCALE}; got {scale}.")
    others = tasks - 1
    if others == 0:
        return 1.0, 1.0
    gap = scale * sqrt(tasks / others)
    return min(1 / (1 + others * exp(gap)), _least_beside_one(others, scale)), 1 / (1 + others * exp(-gap))


def _least_beside_one(others: int, scale: float) -> float:
    """The smallest weight beside ``others`` of which one stands out, as far as such logits are at rest.

    On the sphere, softmax of the first logit is at rest where z is parallel to (-1, p), with p the softmax of the other
    logits: a fixed point, which is reached from p = (1, 0, ..., 0).
    """
    first, rest = 1.0, 0.0
    for _ in range(_ROUNDS):
        length = scale / sqrt(1 + first**2 + (others - 1) * rest**2)
        ratio = exp(length * (rest - first))
        first = 1 / (1 + (others - 1) * ratio)
        rest = first * ratio
    return 1 / (1 + exp(length * (1 + first)) + (others - 1) * exp(length * (1 + rest)))


class WeightUnit(nn.Module):
    r"""One linear layer that reads the shared features of a batch and returns one weight a task.

    For image n with flattened features :math:`x_n`, and T tasks:

    .. math:: z_n = W \frac{x_n}{\|x_n\|} + b, \quad p_n = \mathrm{softmax}(s\, z_n / \|z_n\|), \quad
              w = \frac{1}{N} \sum_n p_n

    where W ``(T, C*H*W)`` and b ``(T,)`` are learned and s is the scale. The weights sum to 1. Since
    :math:`\|s\,z_n/\|z_n\|\| = s`, they are bounded: with T = 2 and s = 1 to [0.1956, 0.8044], see ``bounds``.

    A task that is absent is left out of both the norm and the softmax, so its rows of W and b get no gradient; a batch
    of one task gets weight 1. All is computed in float32, or wider where the parameters or features are, with
    autocast off.

    Args:
        features: size of one image's features: ``C*H*W``, or the shape ``(C, H, W)``.
        tasks: number of tasks, T.
        normalize_logits: divide z by its norm. Default True: the paper's published curves stop at the bounds of
            s = 1. False is the official code's last state: ``softmax(z)``, without bounds, where ``scale`` must stay 1.
        scale: s. Default 1: the bounds of the published curves; the authors' later caricature curves show 1/2.

    The weights start from a normal distribution of standard deviation 0.1 cut at two deviations, as in the official
    code; the bias starts at 0, the default of the layer that the official code uses (TensorFlow-Slim's
    ``fully_connected``).

    Example:
        >>> _ = torch.manual_seed(0)
        >>> unit = WeightUnit((8, 3, 3), tasks=2)
        >>> weights = unit(torch.rand(5, 8, 3, 3))
        >>> weights.shape, bool(weights.sum().isclose(torch.tensor(1.0)))
        (torch.Size([2]), True)
    """

    def __init__(
        self, features: FeatureShape, tasks: int, *, normalize_logits: bool = True, scale: float = 1.0
    ) -> None:
        super().__init__()
        size = features if isinstance(features, int) else prod(features)
        if size < 1 or tasks < 1:
            raise WeightingError(f"The unit needs features and tasks, at least one each; got {features} and {tasks}.")
        if not 0 < scale <= LARGEST_SCALE or (not normalize_logits and scale != 1):
            raise WeightingError(f"`scale` must be positive, and 1 when logits are not normalised; got {scale}.")
        self.normalize_logits = normalize_logits
        self.scale = scale
        self.linear = nn.Linear(size, tasks)
        nn.init.trunc_normal_(self.linear.weight, std=0.1, a=-0.2, b=0.2)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor, present: Tensor | None = None, *, attached: bool = False) -> Tensor:
        """Return the weights ``(T,)``, the mean of ``per_image`` over the batch; arguments as there."""
        return self.per_image(features, present, attached=attached).mean(dim=0)

    def per_image(self, features: Tensor, present: Tensor | None = None, *, attached: bool = False) -> Tensor:
        """Return the weights of each image ``(N, T)``; each row sums to 1.

        Args:
            features: ``(N, ...)``, at least one image.
            present: ``(T,)`` bool, at least one True; None means that all tasks are present.
            attached: let gradients flow into the features; by default they are detached.

        Raises:
            WeightingError: when the features are not of the size or on the device of the unit.
        """
        weight, bias = self.linear.weight, self.linear.bias
        features = check_features("The unit", features, weight)
        dtype = torch.promote_types(torch.promote_types(weight.dtype, features.dtype), torch.float32)
        with torch.autocast(features.device.type, enabled=False):
            inputs = (features if attached else features.detach()).flatten(1).to(dtype)
            # Dividing T products instead of C*H*W features is the same, and saves a copy of the features.
            norms = torch.linalg.vector_norm(inputs, dim=1, keepdim=True).clamp_min(NORM_FLOOR)
            logits = F.linear(inputs, weight.to(dtype)) / norms + bias.to(dtype)
            absent = None if present is None else ~present.to(logits.device)
            if self.normalize_logits:
                if absent is not None:
                    logits = logits.masked_fill(absent, 0.0)
                logits = self.scale * F.normalize(logits, eps=NORM_FLOOR)
            if absent is not None:
                logits = logits.masked_fill(absent, float("-inf"))
            weights: Tensor = logits.softmax(dim=1)
            return weights

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest possible weight when all T tasks are present; raw logits have none: (0, 1)."""
        tasks = self.linear.out_features
        return weight_bounds(tasks, self.scale) if self.normalize_logits or tasks == 1 else (0.0, 1.0)

    def extra_repr(self) -> str:
        """Tell the settings when the module is printed."""
        return f"normalize_logits={self.normalize_logits}, scale={self.scale}"


def check_features(reader: str, features: Features | None, parameter: Tensor) -> Tensor:
    """Return the features of all images, which fit a unit's parameter ``(T, D)``.

    Raises:
        WeightingError: when there are none, or they are not of the size or on the device of the unit.
    """
    if features is None:
        raise WeightingError(f"{reader} reads the shared features: pass `features`, the tensor that all branches read.")
    features = all_images(features)
    size, device = parameter.shape[1], parameter.device
    if features.ndim < 2 or features.shape[0] == 0 or features[0].numel() != size:
        raise WeightingError(
            f"The features must be of shape (N, ...) with N > 0 and {size} values an image, as given when the "
            f"weighting was made; got {tuple(features.shape)}."
        )
    if features.device != device:
        raise WeightingError(
            f"The features are on {features.device} and the weighting on {device}: move it with "
            f'weighting.to("{features.device}") before the optimiser is made.'
        )
    return features
