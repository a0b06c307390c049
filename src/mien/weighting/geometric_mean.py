"""The geometric mean of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.weighting.contract import LossWeighting, require_positive
from mien.weighting.losses import TaskLosses

FLOOR = 1e-30
"""Smallest loss that is divided by; our own choice, it only keeps a loss of 0 from dividing."""


class GeometricMeanWeighting(LossWeighting):
    r"""Geometric loss strategy (GLS; Chennupati et al., 2019, "MultiNet++"): :math:`G = (\prod_i L_i)^{1/K}`.

    Over the K present tasks. Its gradient is that of a sum with the weights :math:`w_i = G / (K L_i)`, as constants,
    and the value of that sum is G itself. Multiplying one loss by a number does not change the ratios of the
    gradients; a loss near 0 gets a large weight. The weights do not sum to 1 unless all losses are equal.

    Args:
        tasks: names of the tasks.

    Raises:
        WeightingError: at a step with a negative loss.

    Example:
        >>> import torch
        >>> weighting = GeometricMeanWeighting(["a", "b"])
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> weighting.backward({"a": a, "b": b})
        tensor(1.)
        >>> weighting.last_weights
        tensor([1.0000, 0.2500])
    """

    def _weigh(self, losses: TaskLosses) -> Tensor:
        require_positive(self, losses)
        logs = losses.levels.clamp_min(FLOOR).log()
        return torch.exp(losses.mean(logs) - logs) * losses.present / losses.count
