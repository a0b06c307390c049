"""Task weights from learned uncertainties."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.weighting.contract import ScalarWeighting, valueless
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses


class UncertaintyWeighting(ScalarWeighting):
    r"""Uncertainty weighting (UW; Kendall et al., 2018, arXiv 1705.07115): weights are learned precisions.

    .. math:: \sum_i \left( \tfrac12 e^{-s_i} L_i + \tfrac12 s_i \right)

    with one learned log-variance :math:`s_i = \ln \sigma_i^2` a task. So :math:`w_i = \frac12 e^{-s_i}`; for a constant
    loss :math:`s_i` goes to :math:`\ln L_i`, the weight to :math:`1 / (2 L_i)`. This is the paper's form for regression
    and torchjd's for all; the paper's for classification, :math:`e^{-s_i} L_i + \frac12 s_i`, is another, and others
    learn :math:`\sigma_i` itself. The weights do not sum to 1: they start at 1/2 each.

    The value returned is the total loss :math:`\sum_i w_i L_i` alone, as for every method; the terms
    :math:`\frac12 s_i` give their gradients to :math:`s_i` and do not show in it.

    The parameters want a group of their own in the optimiser (``parameter_groups``).

    Args:
        tasks: names of the tasks.

    Attributes:
        log_variances: s ``(T,)``. They start at 0, variances of 1, as in torchjd; the paper finds the start irrelevant.

    Example:
        >>> import torch
        >>> weighting = UncertaintyWeighting(["a", "b"])
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> weighting.backward({"a": a, "b": b})
        tensor(1.2500)
        >>> weighting.log_variances.grad
        tensor([ 0.2500, -0.5000])
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.log_variances = nn.Parameter(torch.zeros(len(self.tasks)))

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - of losses alone
        weights = 0.5 * torch.exp(-self.log_variances) * losses.present
        regularizer = 0.5 * self.log_variances * losses.present
        return self._total(losses, weights) + valueless((weights * losses.levels + regularizer).sum())
