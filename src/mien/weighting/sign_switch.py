"""The paper's bounds without a network: a control."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.unit import weight_bounds


class SignSwitchWeighting(LossWeighting):
    r"""The largest loss gets the unit's upper bound, at once: a control of the paper's method.

    With K present tasks the weight of the task with the largest loss is the upper bound of ``WeightUnit``,
    :math:`1 / (1 + (K - 1) e^{-s \sqrt{K / (K - 1)}})`; the others share the rest alike. So it is 0.804 to 0.196 with
    two tasks, 0.630, 0.185 and 0.185 with three. The unit does the same with a lag, as only the sign of
    :math:`L_1 - L_2` decides its direction. If this does as well, no unit is needed. Of equal losses the first counts
    as the largest.

    Args:
        tasks: names of the tasks.
        scale: s, norm of the unit's logits. Default 1, that of the paper's published curves.

    Example:
        >>> import torch
        >>> weighting = SignSwitchWeighting(["a", "b"])
        >>> easy, hard = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": easy, "b": hard})
        >>> weighting.last_weights
        tensor([0.1956, 0.8044])
    """

    def __init__(self, tasks: Sequence[str], *, scale: float = 1.0) -> None:
        super().__init__(tasks)
        weight_bounds(len(self.tasks), scale)  # which checks it
        self.scale = scale

    def _weigh(self, losses: TaskLosses) -> Tensor:
        _, top = weight_bounds(losses.count, self.scale)
        rest = (1 - top) / max(1, losses.count - 1)
        largest = losses.levels.masked_fill(~losses.present, float("-inf")).argmax(dim=0, keepdim=True)
        weights = losses.present.to(losses.levels.dtype) * rest
        return weights.scatter_(0, largest, top)
