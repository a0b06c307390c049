"""Task weights that bring all losses to one level."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.weighting.contract import ScalarWeighting, valueless
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses


class IMTLLWeighting(ScalarWeighting):
    r"""IMTL-L (Liu et al., 2021, "Towards Impartial Multi-task Learning"): the loss-balancing half of that paper.

    .. math:: \sum_i \left( e^{s_i} L_i - s_i \right)

    with one learned log-scale :math:`s_i` a task. So :math:`w_i = e^{s_i}`; for a constant loss :math:`s_i` goes to
    :math:`-\ln L_i`, so that every weighted loss goes to 1. It is twice ``UncertaintyWeighting`` with the sign of s
    turned round. The weights do not sum to 1: they start at 1 each.

    The value returned is the total loss :math:`\sum_i w_i L_i` alone, as for every method; the terms :math:`-s_i` give
    their gradients to :math:`s_i` and do not show in it.

    The parameters want a group of their own in the optimiser (``parameter_groups``). The gradient-balancing half,
    IMTL-G, is ``GradientWeighting`` with torchjd's ``IMTLG``.

    Args:
        tasks: names of the tasks.

    Attributes:
        log_scales: s ``(T,)``. They start at 0, as in torchjd: the sum of the losses.

    Example:
        >>> import torch
        >>> weighting = IMTLLWeighting(["a", "b"])
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> weighting.backward({"a": a, "b": b})
        tensor(2.5000)
        >>> weighting.log_scales.grad
        tensor([-0.5000,  1.0000])
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.log_scales = nn.Parameter(torch.zeros(len(self.tasks)))

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - of losses alone
        weights = torch.exp(self.log_scales) * losses.present
        regularizer = self.log_scales * losses.present
        return self._total(losses, weights) + valueless((weights * losses.levels - regularizer).sum())
