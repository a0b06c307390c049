"""The closed form of uncertainty weighting, softened."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting, require_positive
from mien.weighting.losses import TaskLosses


class UWSOWeighting(LossWeighting):
    r"""Soft optimal uncertainty weighting (UW-SO; Kirchdorfer et al., 2024, arXiv 2408.07985).

    The uncertainties of ``UncertaintyWeighting`` have a closed form, under which each loss is divided by itself; as a
    softmax with a temperature T these weights are

    .. math:: w_i = \frac{e^{1 / (T L_i)}}{\sum_j e^{1 / (T L_j)}}

    with constant :math:`L_i` over the present tasks. They sum to 1, and the **smallest** loss gets the most weight: the
    opposite of the paper's unit, and of ``EntropyWeighting``, which is the same with the sign turned round. Losses are
    compared as they are. A loss of 0 counts as the smallest positive number.

    Args:
        tasks: names of the tasks.
        temperature: T, above 0; larger makes weights more alike. Default 1, our own choice: the paper tunes it for each
            data set.

    Raises:
        WeightingError: at a step with a negative loss.

    Example:
        >>> import torch
        >>> weighting = UWSOWeighting(["a", "b"])
        >>> easy, hard = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": easy, "b": hard})
        >>> weighting.last_weights
        tensor([0.8176, 0.1824])
    """

    def __init__(self, tasks: Sequence[str], *, temperature: float = 1.0) -> None:
        super().__init__(tasks)
        if not 0 < temperature < inf:
            raise WeightingError(f"`temperature` must be above 0; got {temperature}.")
        self.temperature = temperature

    def _weigh(self, losses: TaskLosses) -> Tensor:
        require_positive(self, losses)
        limits = torch.finfo(losses.levels.dtype)
        inverse = torch.reciprocal(self.temperature * losses.levels.clamp_min(limits.tiny))
        return losses.softmax(inverse.clamp_max(limits.max / 4))
