"""Task weights from the coefficients of variation of the losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mien.weighting.contract import LossWeighting, require_positive
from mien.weighting.losses import TaskLosses

FLOOR = 1e-8
"""Smallest variance of the ratios, and smallest mean of them, that is used; our own choice."""


class CoVWeighting(LossWeighting):
    r"""Coefficient-of-variation weighting (Groenendijk et al., 2021, arXiv 2009.01717): what still varies gets weight.

    .. math:: w_i = \frac{c_i}{\sum_j c_j}, \quad c_i = \frac{\sigma(\ell_i)}{\mu(\ell_i)}, \quad
              \ell_i(t) = \frac{L_i(t)}{\mu(L_i)}

    with :math:`\mu, \sigma` the mean and the standard deviation over all steps of the task before this one, and sums
    over the present tasks. While a present task was seen fewer than twice, all weights are equal. A loss that has
    stopped to change is taken for satisfied; so is one that never began to fall. A task counts as seen from its first
    loss above 0, as there is no ratio to a mean of 0. The weights sum to 1.

    Args:
        tasks: names of the tasks.

    Raises:
        WeightingError: at a step with a negative loss.

    Example:
        >>> import torch
        >>> weighting = CoVWeighting(["a", "b"])
        >>> for a, b in [(2.0, 1.0), (1.0, 0.9), (0.5, 0.8), (0.5, 0.8)]:
        ...     losses = {"a": torch.tensor(a, requires_grad=True), "b": torch.tensor(b, requires_grad=True)}
        ...     _ = weighting.backward(losses)
        ...
        >>> weighting.weights["a"] > weighting.weights["b"]
        True
    """

    steps: Tensor
    mean: Tensor
    ratio_mean: Tensor
    ratio_squares: Tensor

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        for name in ("steps", "mean", "ratio_mean", "ratio_squares"):
            self.register_buffer(name, torch.zeros(len(self.tasks)))

    def _weigh(self, losses: TaskLosses) -> Tensor:
        require_positive(self, losses)
        variance = (self.ratio_squares / self.steps.clamp_min(1)).clamp_min(FLOOR)
        ready = ((self.steps >= 2) | ~losses.present).all()
        varied = torch.where(ready, variance.sqrt() / self.ratio_mean.clamp_min(FLOOR), 1.0) * losses.present
        self._observe(losses)
        return (varied / varied.sum()).to(losses.levels)

    def _observe(self, losses: TaskLosses) -> None:
        """Move means and the sum of squared deviations by this step's losses (Welford's algorithm)."""
        levels = losses.levels.to(self.mean)
        seen = losses.present & ((self.steps > 0) | (levels > 0))
        steps = self.steps + seen
        share = seen / steps.clamp_min(1)
        before = torch.where(self.steps > 0, self.mean, levels).clamp_min(torch.finfo(levels.dtype).tiny)
        ratio = levels / before
        deviation = ratio - self.ratio_mean
        ratio_mean = self.ratio_mean + share * deviation
        self.ratio_squares += seen * deviation * (ratio - ratio_mean)
        self.ratio_mean.copy_(ratio_mean)
        self.mean += share * (levels - self.mean)
        self.steps.copy_(steps)
