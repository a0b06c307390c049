"""Weights from the norms of the tasks' gradients, looked for in a first phase and then held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import LossWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.norms import gradient_norms, trained


class AutoScaleWeighting(LossWeighting):
    r"""Weights of high gradient magnitude similarity, after AutoScale (Yang et al., 2025, arXiv 2508.13979).

    That paper finds that fixed weights do well where the weighted gradients of the tasks have similar norms, and so
    looks for such weights in a first phase of the training and keeps them for the rest. Here, with the mean norm
    :math:`n_i` of :math:`\nabla_\theta L_i` over the steps of the first phase so far that have the task,

    .. math:: w_i = \frac{1 / n_i}{\sum_j 1 / n_j}

    over the present tasks, which makes all :math:`w_i n_i` the same; after ``explore`` steps they stay as they are. The
    rule is ours: of the paper its idea was at hand, and not its division of the first phase. What the first phase costs
    and asks for is as in ``GradNorm``; the rest costs nothing.

    Args:
        tasks: names of the tasks.
        shared_parameters: :math:`\theta`, the weights of the last layer that the tasks share.
        explore: steps of the first phase. Default 200, our own choice.

    Raises:
        WeightingError: when there are no shared parameters; in the first phase, as ``GradNorm``.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> trunk, heads = torch.nn.Linear(4, 8), torch.nn.Linear(8, 2)
        >>> weighting = AutoScaleWeighting(["a", "b"], [trunk.weight])
        >>> a, b = heads(trunk(torch.rand(16, 4))).square().mean(dim=0)
        >>> _ = weighting.backward({"a": a, "b": b})
        >>> round(sum(weighting.weights.values()), 6)
        1.0
    """

    needs_shared_parameters = True
    norms: Tensor
    seen: Tensor
    steps: Tensor

    def __init__(self, tasks: Sequence[str], shared_parameters: Iterable[Tensor], *, explore: int = 200) -> None:
        super().__init__(tasks)
        if explore < 1:
            raise WeightingError(f"`explore` must be at least 1; got {explore}.")
        # A tuple hides them from this module: they are the network's, not ours to train or to save.
        self._shared = trained("AutoScale", shared_parameters)
        self.explore = explore
        for name in ("norms", "seen"):
            self.register_buffer(name, torch.zeros(len(self.tasks)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def _weigh(self, losses: TaskLosses) -> Tensor:
        if int(self.steps) < self.explore:
            with torch.enable_grad():
                norms = gradient_norms("AutoScale", self.tasks, losses, self._shared).to(self.norms)
            self.steps += 1
            self.seen += losses.present
            self.norms += (norms - self.norms) * losses.present / self.seen.clamp_min(1)
        # The inverse of each norm over their sum is a softmax of logarithms; a task without one is as the smallest.
        logs = self.norms.clamp_min(torch.finfo(self.norms.dtype).tiny).log()
        return losses.softmax(-logs.to(losses.levels))
