"""Naive dynamic task weights: the paper's counter-example."""

from __future__ import annotations

from torch import Tensor

from mien.weighting.losses import TaskLosses
from mien.weighting.unit_weighting import UnitWeighting

FLOOR, CEILING = 0.01, 0.99


class NaiveWeighting(UnitWeighting):
    r"""Naive dynamic weights, the baseline that the paper improves on: the unit, too, is trained on the total loss.

    The unit's loss is :math:`U = \sum_i w_i\, \mathrm{sg}(L_i)`, with sg a stop-gradient, so weight flows to the
    **smallest** loss: easy tasks are trained on, hard ones starve. See ``UnitWeighting`` for the one backward pass and
    the arguments, ``DynamicWeighting`` for the rule that turns this round.

    The weights are clamped to [0.01, 0.99] as in the official scripts, which clamp the first of two weights and give
    the rest to the second. For any T: each weight of a present task is clamped, then all are divided by their sum;
    for T = 2 that is the same. A clamped weight gives the unit no gradient, so a unit with raw logits that has reached
    the clamp stays there. Normalised logits (T = 2, s = 1) never reach it.

    The official scripts train all variables on the total loss, and so have what ``leak=True`` does here. The default
    is False, as in ``DynamicWeighting``, so that the two differ in the unit's rule alone. Of the official scripts the
    CK+ one normalises logits (default), the Oulu-CASIA one does not.

    Example:
        >>> import torch
        >>> weighting = NaiveWeighting(["a", "b"], features=3)
        >>> optimizer = torch.optim.SGD(weighting.parameters(), lr=1.0)
        >>> easy, hard = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> for _ in range(50):
        ...     _ = weighting.backward({"a": easy, "b": hard}, features=torch.ones(4, 3))
        ...     optimizer.step()
        ...     optimizer.zero_grad()
        ...
        >>> weighting.weights["a"] > 0.7
        True
    """

    def _unit_loss(self, weights: Tensor, losses: TaskLosses) -> Tensor:
        return (weights * losses.levels).sum()

    def _limit(self, weights: Tensor, present: Tensor) -> Tensor:
        clamped = weights.clamp(FLOOR, CEILING) * present.to(weights.dtype)
        return clamped / clamped.sum()
