"""Task weights from how losses fell over the last two epochs."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.reminders import Reminder

FLOOR = 1e-8
"""Smallest epoch mean divided by; our own choice, it only keeps a mean of 0 from dividing."""

LONG_EPOCH = 1_000
"""After so many steps without an end of the first epoch a warning is given; our own choice."""


class DynamicWeightAverage(LossWeighting):
    r"""Dynamic weight average (DWA; Liu et al., 2019, arXiv 1803.10704): the slower a loss falls, the more weight.

    .. math:: w_i = K \frac{e^{r_i / \tau}}{\sum_j e^{r_j / \tau}}, \quad r_i = \frac{\bar L_i(t-1)}{\bar L_i(t-2)}

    where :math:`\bar L_i(t)` is the mean loss of epoch t, sums run over the K present tasks, and :math:`w_i = 1` for
    the first two epochs. **The weights sum to K**, as in the paper and torchjd: K times those of ``EqualWeighting``.

    Call ``end_epoch`` after each epoch, or the weights stay at 1. A mean is taken over those steps of an epoch that
    have the task; a task that an epoch did not have keeps its means.

    Args:
        tasks: names of the tasks.
        temperature: :math:`\tau`, above 0: larger makes weights more alike. Default 2, the paper's.

    Example:
        >>> import torch
        >>> weighting = DynamicWeightAverage(["a", "b"])
        >>> for a, b in [(2.0, 2.0), (1.0, 2.0), (1.0, 2.0)]:
        ...     losses = {"a": torch.tensor(a, requires_grad=True), "b": torch.tensor(b, requires_grad=True)}
        ...     _ = weighting.backward(losses)
        ...     weighting.end_epoch()
        ...
        >>> weighting.last_weights
        tensor([0.8756, 1.1244])
    """

    needs_epoch_ends = True
    sums: Tensor
    steps: Tensor
    means: Tensor

    def __init__(self, tasks: Sequence[str], *, temperature: float = 2.0) -> None:
        super().__init__(tasks)
        if not 0 < temperature < inf:
            raise WeightingError(f"`temperature` must be above 0; got {temperature}.")
        self.temperature = temperature
        self.register_buffer("sums", torch.zeros(len(self.tasks)))
        self.register_buffer("steps", torch.zeros(len(self.tasks), dtype=torch.long))
        self.register_buffer("means", torch.full((2, len(self.tasks)), float("nan")))
        self._reminder = Reminder(
            f"DynamicWeightAverage keeps weights of 1, as `end_epoch` was not called in its first {LONG_EPOCH} steps: "
            "call it after each epoch, or ignore this if the epoch is longer.",
            LONG_EPOCH,
        )

    def _weigh(self, losses: TaskLosses) -> Tensor:
        self._reminder.step()
        self.sums += losses.levels
        self.steps += losses.present
        before, last = self.means
        rates = torch.nan_to_num(last / before, nan=1.0)  # not a number: fewer than two epochs had the task
        return losses.count * losses.softmax((rates / self.temperature).to(losses.levels))

    def end_epoch(self) -> None:
        """Take the means of the epoch that has just ended, and start the next."""
        self._reminder.settle()
        seen = self.steps > 0
        mean = (self.sums / self.steps.clamp_min(1)).clamp_min(FLOOR)
        self.means[0] = torch.where(seen, self.means[1], self.means[0])
        self.means[1] = torch.where(seen, mean, self.means[1])
        self.sums.zero_()
        self.steps.zero_()
