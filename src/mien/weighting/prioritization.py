"""Task weights by a focal term of each task's performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses

MARGIN = 1e-6
"""Keeps indicators inside (0, 1), so that weights stay finite and above 0; our own choice."""


class DynamicTaskPrioritization(LossWeighting):
    r"""Dynamic task prioritisation (DTP; Guo et al., 2018, ECCV): the worse a task performs, the more weight.

    .. math:: w_i = -(1 - \bar\kappa_i)^{\gamma} \ln \bar\kappa_i, \quad
              \bar\kappa_i \leftarrow \alpha \kappa_i + (1 - \alpha) \bar\kappa_i

    with a key performance indicator :math:`\kappa_i \in [0, 1]` a task, 1 being perfect. Either you ``report`` it (an
    accuracy on validation data, say), or it is :math:`e^{-L_i}` of every step's loss: for a cross-entropy that is the
    geometric mean of the probabilities of the right classes. A negative loss counts as 0. Once a task was reported, its
    losses are not used any more. The first indicator of a task is taken as it is.

    The weights are the paper's, not normalised: they go to 0, and so do the steps, as all tasks get well. A task with
    wrong labels keeps the top weight. The paper's focal loss over the examples of one task is a loss, and not here.

    Args:
        tasks: names of the tasks.
        gamma: :math:`\gamma`, 0 or more: larger turns faster from a task that performs. Default 1, our own choice: the
            paper tunes it.
        alpha: :math:`\alpha` in (0, 1], share of the newest indicator. Default 0.1, our own choice: about ten steps.

    Example:
        >>> import torch
        >>> weighting = DynamicTaskPrioritization(["a", "b"])
        >>> weighting.report({"b": 0.9})
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": a, "b": b})
        >>> weighting.last_weights
        tensor([0.1967, 0.0105])
    """

    indicators: Tensor
    reported: Tensor

    def __init__(self, tasks: Sequence[str], *, gamma: float = 1.0, alpha: float = 0.1) -> None:
        super().__init__(tasks)
        if not 0 <= gamma < inf or not 0 < alpha <= 1:
            raise WeightingError(f"`gamma` must be 0 or more and `alpha` in (0, 1]; got {gamma} and {alpha}.")
        self.gamma, self.alpha = gamma, alpha
        self.register_buffer("indicators", torch.full((len(self.tasks),), float("nan")))
        self.register_buffer("reported", torch.zeros(len(self.tasks), dtype=torch.bool))

    def report(self, indicators: Mapping[str, float]) -> None:
        """Tell how tasks perform, from 0 to 1 (perfect); the same on all ranks of a distributed run.

        Raises:
            WeightingError: for an unknown task or a number outside [0, 1].
        """
        for task, indicator in indicators.items():
            if task not in self.tasks or not 0 <= indicator <= 1:
                raise WeightingError(
                    f"Indicators must be in [0, 1], for tasks of {list(self.tasks)}; got {indicators}."
                )
            chosen = torch.tensor([name == task for name in self.tasks], device=self.indicators.device)
            # What the losses said before is another measure: a first report replaces it.
            self.indicators.masked_fill_(chosen & ~self.reported, float("nan"))
            self._move(torch.full_like(self.indicators, indicator), chosen)
            self.reported |= chosen

    def _weigh(self, losses: TaskLosses) -> Tensor:
        self._move(torch.exp(-losses.levels.clamp_min(0)), losses.present & ~self.reported)
        performance = self.indicators.clamp(MARGIN, 1 - MARGIN)
        focal = -((1 - performance) ** self.gamma) * performance.log()
        return torch.where(losses.present, focal, 0.0).to(losses.levels)

    def _move(self, indicators: Tensor, chosen: Tensor) -> None:
        """Move the averages of the chosen tasks; the first value is taken as it is."""
        old = self.indicators
        new = torch.where(old.isnan(), indicators, old.lerp(indicators.to(old), self.alpha))
        self.indicators.copy_(torch.where(chosen, new, old))
