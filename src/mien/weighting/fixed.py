"""Fixed task weights, given by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.unit import weight_bounds


class FixedWeighting(LossWeighting):
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

    @classmethod
    def favouring(cls, task: str, tasks: Sequence[str], *, scale: float = 1.0) -> Self:
        r"""Hold one task at the upper bound of the dynamic weight unit, the others alike at what is left.

        A control of the dynamic methods: the unit spends most of its time at a bound, so that this is what remains of
        it without any switching. With two tasks the weights are 0.804 and 0.196, with three 0.630, 0.185 and 0.185.

        Args:
            task: the task to favour.
            tasks: names of all tasks, in their order.
            scale: norm of the unit's logits; default 1 as in ``WeightUnit``.

        Example:
            >>> FixedWeighting.favouring("b", ["a", "b"]).fixed
            tensor([0.1956, 0.8044])
        """
        if task not in tasks:
            raise WeightingError(f"The task to favour must be one of {list(tasks)}; got {task!r}.")
        top = weight_bounds(len(tasks), scale)[1]
        return cls({name: top if name == task else (1 - top) / (len(tasks) - 1) for name in tasks})

    def _weigh(self, losses: TaskLosses) -> Tensor:
        weights = self.fixed.to(losses.levels)
        return weights if losses.mask is None else weights * losses.mask
