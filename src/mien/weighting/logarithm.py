"""The mean of the logarithms of the losses."""

from __future__ import annotations

from torch import Tensor

from mien.weighting.contract import LossWeighting, require_positive
from mien.weighting.losses import TaskLosses

EPSILON = 1e-8
"""Added to each loss; our own choice: a loss of 0 has no logarithm."""


class LogarithmWeighting(LossWeighting):
    r"""The logarithm transform of DB-MTL (Lin et al., 2023, arXiv 2308.12029): :math:`\frac1K \sum_i \ln L_i`.

    Over the K present tasks. Its gradient is that of a sum with the weights
    :math:`w_i = 1 / (K (L_i + \varepsilon))`, as constants; so every loss counts by how much of itself it loses, and
    its scale does not matter. The mean and not the sum, as in ``EqualWeighting``. DB-MTL's second half, gradients of
    equal norm, needs a gradient a task and is not here.

    The value returned is the total loss :math:`\sum_i w_i L_i` as for every method, which is 1 here whatever the
    losses are: log the losses, not this.

    Args:
        tasks: names of the tasks.

    Raises:
        WeightingError: at a step with a negative loss.

    Example:
        >>> import torch
        >>> weighting = LogarithmWeighting(["a", "b"])
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> weighting.backward({"a": a, "b": b})
        tensor(1.)
        >>> weighting.last_weights
        tensor([1.0000, 0.2500])
    """

    def _weigh(self, losses: TaskLosses) -> Tensor:
        require_positive(self, losses)
        return losses.present / (losses.count * (losses.levels + EPSILON))
