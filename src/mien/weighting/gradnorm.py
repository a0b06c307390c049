"""Task weights that bring the tasks' gradients to one norm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from mien.errors import WeightingError
from mien.weighting.contract import ScalarWeighting, valueless
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses
from mien.weighting.norms import gradient_norms, trained

FLOOR = 1e-3
"""Smallest weight before they are scaled to their sum; our own choice: nothing in the paper keeps them above 0."""


class GradNorm(ScalarWeighting):
    r"""GradNorm (Chen et al., 2018, arXiv 1711.02257): gradients of one norm, more for tasks that are behind.

    For shared parameters :math:`\theta` and learned weights :math:`w_i`:

    .. math:: U = \sum_i \left| G_i - \mathrm{sg}(\bar G\, r_i^{\alpha}) \right|, \quad
              G_i = w_i \|\nabla_\theta L_i\|, \quad \bar G = \frac1K \sum_j G_j, \quad
              r_i = \frac{L_i / L_i(0)}{\frac1K \sum_j L_j / L_j(0)}

    over the K present tasks; sg stops gradients, and :math:`L_i(0)` is the first loss of the task, which must be above
    0. The network is trained on :math:`\sum_i \mathrm{sg}(w_i) L_i`, the weights on U, in one backward pass after one
    more **per task, through its branch down to** :math:`\theta`: the nearer that is to the branches, the cheaper.
    U is linear in w where :math:`\|\nabla_\theta L_i\|` is a constant, so that no second derivative is taken.

    **The weights sum to T**, as in the paper: they are scaled to that before each step. They start at 1. Give them a
    group of their own in the optimiser (``parameter_groups``, with the paper's learning rate of 0.025).

    **What lies between** :math:`\theta` **and the losses is differentiated more than once.** So with ``torch.compile``
    compile what is below :math:`\theta` and leave its module and the branches as they are; with its backend aot_eager
    all may be compiled that does not hold :math:`\theta`. ``torch.utils.checkpoint`` needs ``use_reentrant=False``,
    ``DistributedDataParallel`` no ``static_graph``. Anything else raises.

    Args:
        tasks: names of the tasks.
        shared_parameters: :math:`\theta`, parameters that the graphs of all losses reach: the weights of the last
            layer that the tasks share, as in the paper.
        alpha: strength of the pull back to one rate; 0 makes all norms alike. Default 1.5, the paper's for NYUv2.

    Raises:
        WeightingError: when there are no shared parameters, or a first loss is not above 0; at a step, when the
            parameters are not in the graph of a loss, are all frozen, or cannot be differentiated as said above.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> trunk, heads = nn.Linear(4, 8), nn.Linear(8, 2)
        >>> weighting = GradNorm(["a", "b"], [trunk.weight])
        >>> a, b = heads(trunk(torch.rand(16, 4))).square().mean(dim=0)
        >>> total = weighting.backward({"a": a, "b": b})
        >>> bool(torch.isclose(total, a + b)), weighting.task_weights.grad.shape
        (True, torch.Size([2]))
    """

    needs_shared_parameters = True
    learning_rate = 0.025
    initial: Tensor

    def __init__(self, tasks: Sequence[str], shared_parameters: Iterable[Tensor], *, alpha: float = 1.5) -> None:
        super().__init__(tasks)
        # A tuple hides them from this module: they are the network's, not ours to train or to save.
        self._shared = trained("GradNorm", shared_parameters)
        self.alpha = alpha
        self.task_weights = nn.Parameter(torch.ones(len(self.tasks)))
        self.register_buffer("initial", torch.full((len(self.tasks),), float("nan")))

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - of losses alone
        norms = gradient_norms("GradNorm", self.tasks, losses, self._shared)
        ratios = self._ratios(losses)
        with torch.no_grad():
            kept = self.task_weights.clamp_min(FLOOR)
            self.task_weights.copy_(kept * (len(self.tasks) / kept.sum()))
        weighted = self.task_weights * norms.to(self.task_weights.dtype)
        target = losses.mean(weighted.detach()) * ratios**self.alpha
        return self._total(losses, self.task_weights * losses.present) + valueless((weighted - target).abs().sum())

    def _ratios(self, losses: TaskLosses) -> Tensor:
        """Return r ``(T,)``, 0 for absent tasks, and keep first losses."""
        new = losses.present & self.initial.isnan()
        known = dict(zip(self.tasks, losses.known, strict=True))
        if min(losses.known) <= 0 and bool((new & (losses.levels <= 0)).any()):
            raise WeightingError(f"GradNorm divides by each task's first loss, which must be above 0; got {known}.")
        self.initial.copy_(torch.where(new, losses.levels, self.initial))
        # The ratio to the mean is K times a softmax of logarithms, which no size of the losses overflows.
        smallest = torch.finfo(losses.levels.dtype).tiny
        falls = losses.levels.clamp_min(smallest).log() - self.initial.to(losses.levels).log()
        return losses.count * losses.softmax(falls)
