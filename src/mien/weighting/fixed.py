"""Fixed task weights, given by hand."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import ScalarWeighting
from mien.weighting.losses import TaskLosses


class FixedWeighting(ScalarWeighting):
    r"""Fixed weights: the total loss is :math:`\sum_i w_i L_i` with the given :math:`w_i`.

    They are used as given: they need not sum to 1, and a batch without a task is **not** renormalised, so that the
    ratio of two tasks over a whole epoch is the one asked for, however the batches are mixed.

    Args:
        weights: task name to weight, finite, not negative, not all 0; its order is the order of the tasks. There is
            no default: the official code has commented hints only (1 for verification to 0.1 for expression).

    Raises:
        WeightingError: when the weights cannot be used.

    Example:
        >>> import torch
        >>> weighting = FixedWeighting({"identity": 1.0, "expression": 0.1})
        >>> identity, expression = torch.tensor(3.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
        >>> weighting.backward({"identity": identity, "expression": expression})
        tensor(3.5000)
        >>> weighting.backward({"expression": expression})
        tensor(0.5000)
    """

    fixed: Tensor

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__(list(weights))
        fixed = torch.tensor([float(weight) for weight in weights.values()])
        if not bool(torch.isfinite(fixed).all()) or bool((fixed < 0).any()) or bool((fixed == 0).all()):
            raise WeightingError(f"Fixed weights must be finite, not negative and not all 0; got {dict(weights)}.")
        self.register_buffer("fixed", fixed)

    def _objective(self, losses: TaskLosses, features: Tensor | None) -> Tensor:  # noqa: ARG002 - of losses alone
        return self._total(losses, self.fixed.to(losses.levels) * losses.present)
