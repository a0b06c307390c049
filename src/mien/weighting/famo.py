"""Task weights that make all losses fall at one rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting, require_positive
from mien.weighting.losses import TaskLosses
from mien.weighting.reminders import Reminder

EPSILON = 1e-8
"""Added to each loss before its logarithm, as in the official code."""
BETAS = (0.9, 0.999)
"""Of Adam, its defaults, as in the official code."""


class FAMO(LossWeighting):
    r"""Fast adaptive multitask optimisation (FAMO; Liu et al., 2023, arXiv 2306.03792): all losses fall alike.

    .. math:: w_i = c \frac{z_i}{L_i + \varepsilon}, \quad z = \mathrm{softmax}(\xi), \quad
              c = \Big( \sum_j \frac{z_j}{L_j + \varepsilon} \Big)^{-1}

    over the present tasks: a step on :math:`c \sum_i z_i \ln L_i` with constant weights, which sum to 1. After the
    network's step the losses of the same batch are measured again, :math:`L_i'`, and :math:`\xi` goes down the gradient
    of :math:`\sum_i z_i \delta_i` with :math:`\delta_i = \ln(L_i + \varepsilon) - \ln(L_i' + \varepsilon)` by a step of
    Adam, so that the tasks that fell least get more weight. It holds this Adam itself; there are no parameters for
    your optimiser.

    **Call** ``after_step`` with the losses measured again: a second forward pass, under ``torch.no_grad()`` and in the
    same mode (dropout adds noise unless it is the same, and batch normalisation counts the batch twice). Without it the
    weights never change. When gradients are accumulated, call it with the losses of the last micro-batch.

    Args:
        tasks: names of the tasks.
        lr: learning rate of :math:`\xi`. Default 0.025, the paper's.
        decay: weight decay of :math:`\xi`, an L2 term in Adam's gradient. Default 1e-3: the paper's algorithm and
            torchjd; the official code has 1e-5.

    Raises:
        WeightingError: at a step with a negative loss, and when ``after_step`` comes first.

    Example:
        >>> import torch
        >>> weighting = FAMO(["a", "b"])
        >>> a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        >>> _ = weighting.backward({"a": a, "b": b})
        >>> weighting.last_weights
        tensor([0.8000, 0.2000])
        >>> weighting.after_step({"a": a * 0.5, "b": b * 0.9})
        >>> weighting.logits
        tensor([-0.0250,  0.0250])
    """

    needs_losses_after_step = True
    logits: Tensor
    before: Tensor
    steps: Tensor
    moment: Tensor
    square: Tensor

    def __init__(self, tasks: Sequence[str], *, lr: float = 0.025, decay: float = 1e-3) -> None:
        super().__init__(tasks)
        if not (0 <= lr < inf and 0 <= decay < inf):
            raise WeightingError(f"`lr` and `decay` must not be negative; got {lr} and {decay}.")
        self.lr, self.decay = lr, decay
        for name in ("logits", "moment", "square", "steps"):
            self.register_buffer(name, torch.zeros(len(self.tasks)))
        self.register_buffer("before", torch.full((len(self.tasks),), float("nan")))
        self._reminder = Reminder(
            "FAMO has learned nothing, as `after_step` was never called: after each step of the optimizer, measure the "
            "losses of the same batch again and give them to it."
        )

    def _weigh(self, losses: TaskLosses) -> Tensor:
        self._reminder.step()
        require_positive(self, losses)
        self.before.copy_(torch.where(losses.present, losses.levels, float("nan")))
        shares = losses.softmax(self.logits.to(losses.levels)) / (losses.levels + EPSILON)
        return shares / shares.sum()

    @torch.no_grad()
    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Make a step of Adam on the logits of the tasks that have a loss both before and after the step."""
        self._reminder.settle()
        measured = self._gather(losses)
        require_positive(self, measured)
        both = measured.present & ~self.before.isnan()
        if not bool(both.any()):
            raise WeightingError("`after_step` has no losses to compare with: call backward with the same tasks first.")
        fall = torch.log(self.before + EPSILON) - torch.log(measured.levels.to(self.before) + EPSILON)
        fall = torch.where(both, fall, 0.0)
        shares = self.logits.masked_fill(~both, float("-inf")).softmax(dim=0)
        gradient = shares * (fall - (shares * fall).sum()) + self.decay * self.logits
        self._adam(gradient, both)

    def _adam(self, gradient: Tensor, chosen: Tensor) -> None:
        """Adam (Kingma and Ba, 2015) by task, as its moments belong into ``state_dict`` and absent tasks must rest."""
        steps = self.steps + chosen
        moment = self.moment.lerp(gradient, 1 - BETAS[0])
        square = self.square.lerp(gradient.square(), 1 - BETAS[1])
        rate = self.lr / (1 - BETAS[0] ** steps)
        logits = self.logits - rate * moment / ((square / (1 - BETAS[1] ** steps)).sqrt() + 1e-8)
        for old, new in ((self.logits, logits), (self.moment, moment), (self.square, square)):
            old.copy_(torch.where(chosen, new, old))
        self.steps.copy_(steps)
