"""The minimum that the paper's unit would have with an entropy term: a control."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses


class EntropyWeighting(LossWeighting):
    r"""Entropy-regularised closed form: a control of the paper's method, without network, lag or switching.

    The paper's unit minimises :math:`\sum_i w_i / (L_i + \varepsilon)`, whose minimum over the simplex gives
    everything to the largest loss. With an entropy term, :math:`+ \tau \sum_i w_i \ln w_i`, the minimum is interior:

    .. math:: w_i = \frac{e^{-1 / (\tau (L_i + \varepsilon))}}{\sum_j e^{-1 / (\tau (L_j + \varepsilon))}}

    over the present tasks. It still compares losses as they are, and where both are small, 1/L makes it sharp.
    A negative loss counts as 0.

    Args:
        tasks: names of the tasks.
        tau: strength of the entropy term, above 0. Default 1, our own choice.
        epsilon: bounds :math:`1/L_i`, above 0. Default 0.01, as in ``DynamicWeighting``.

    Example:
        >>> import torch
        >>> weighting = EntropyWeighting(["a", "b"])
        >>> easy, hard = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": easy, "b": hard})
        >>> weighting.last_weights
        tensor([0.1880, 0.8120])
    """

    def __init__(self, tasks: Sequence[str], *, tau: float = 1.0, epsilon: float = 0.01) -> None:
        super().__init__(tasks)
        if not (0 < tau < inf and 0 < epsilon < inf):
            raise WeightingError(f"`tau` and `epsilon` must be above 0; got {tau} and {epsilon}.")
        self.tau, self.epsilon = tau, epsilon

    def _weigh(self, losses: TaskLosses) -> Tensor:
        return losses.softmax(-torch.reciprocal(self.tau * (losses.levels.clamp_min(0) + self.epsilon)))
