"""The dynamic weight unit without anything to see: a control."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses


class ConstantInputWeighting(DynamicWeighting):
    r"""Dynamic weighting whose unit sees a constant in place of the features: a control of the paper's method.

    The unit's input is the number 1 for every batch, so that nothing but a bias is left of it:
    :math:`w = \mathrm{softmax}(s\,z/\|z\|)` with a learned :math:`z = W + b`, W and b ``(T,)``. Everything else is
    that of ``DynamicWeighting``. If it does as well, the features do not matter.

    W stays beside b on purpose. An image's features have length 1 in the paper's unit, so that a step on it moves
    the logits twice: through the bias, and through W as much as the images look alike. Here, too; and z starts at the
    same spread of 0.1. ``features`` may be given and are not looked at.

    Args:
        tasks: names of the tasks.
        epsilon: see ``DynamicWeighting``.
        normalize_logits: see ``DynamicWeighting``.
        scale: see ``DynamicWeighting``.

    Example:
        >>> import torch
        >>> weighting = ConstantInputWeighting(["a", "b"])
        >>> optimizer = torch.optim.SGD(weighting.parameters(), lr=0.1)
        >>> easy, hard = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> for _ in range(100):
        ...     _ = weighting.backward({"a": easy, "b": hard})
        ...     optimizer.step()
        ...     optimizer.zero_grad()
        ...
        >>> weighting.weights["b"] > 0.7
        True
    """

    needs_features = False
    constant: Tensor

    def __init__(
        self, tasks: Sequence[str], *, epsilon: float = 0.01, normalize_logits: bool = True, scale: float = 1.0
    ) -> None:
        super().__init__(tasks, 1, epsilon=epsilon, normalize_logits=normalize_logits, scale=scale)
        self.register_buffer("constant", torch.ones(1, 1), persistent=False)

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - that is the point
        return super()._objective(losses, self.constant)
