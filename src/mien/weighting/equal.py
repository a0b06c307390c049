"""Equal task weights."""

from __future__ import annotations

from torch import Tensor

from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses


class EqualWeighting(LossWeighting):
    r"""Equal weights: the mean of the losses, :math:`w_i = 1/K` for the K present tasks and 0 for the absent ones.

    The mean, not the sum, so that the weights sum to 1 as those of the other methods do and learning rates compare.

    Args:
        tasks: names of the tasks.

    Example:
        >>> import torch
        >>> weighting = EqualWeighting(["identity", "expression", "age"])
        >>> identity, expression = torch.tensor(3.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
        >>> weighting.backward({"identity": identity, "expression": expression})
        tensor(2.)
        >>> weighting.weights
        {'identity': 0.5, 'expression': 0.5, 'age': 0.0}
    """

    def _weigh(self, losses: TaskLosses) -> Tensor:
        return losses.present.to(losses.levels.dtype) / losses.count
