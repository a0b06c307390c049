"""Dynamic task weights by relative progress: our own dynamic weight unit."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.errors import WeightingError
from mien.weighting.contract import ScalarWeighting
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses
from mien.weighting.ranks import mean_over_ranks
from mien.weighting.unit import NORM_FLOOR, FeatureShape, check_features

SMALLEST = 1e-8
"""Smaller losses, and negative ones, count as this: they have no useful logarithm. Our own choice."""
RADIUS = 1.0
"""Largest norm of the logits: the bounds of the paper's published curves, 0.196 and 0.804 for two tasks."""
SHARE = 0.1
"""Share of Newton's step that the unit makes: a mean over about ten steps, against the noise of single batches."""


class ProgressWeighting(ScalarWeighting):
    r"""A dynamic weight unit that follows relative progress: our own answer to the faults of the paper's.

    A unit reads the shared features, as in ``DynamicWeighting``, and the task that makes the least progress gets the
    most weight; what counts as progress, and how the unit learns, are different.

    **1. Progress instead of loss.** The paper compares the losses as they are, so that more classes look harder. Here

    .. math:: h_i(t) = \ln L_i(t) - \frac1t \sum_{u \le t} \ln L_i(u)

    compares a task with its own past: a factor on :math:`L_i` cancels. For a learning curve
    :math:`L_i = c\,t^{-a}` the mean of the logarithms is :math:`\ln c - a (\ln t - 1)` and so :math:`h_i = -a`, minus
    the exponent of the curve, whatever c and t are. A task that stands still has :math:`h_i = 0`, whether its loss
    is large (noise) or small (mastered): it is not held for infinitely hard. No window, no decay, no initial value.

    **2. A target instead of a direction.** The paper's unit descends :math:`\sum_i w_i / L_i`, linear in w: its
    minimum is a corner, whatever the difference of the losses, so weights switch between bounds. With an entropy
    term such a sum has an interior minimum, a softmax (``EntropyWeighting``); in terms of h it is

    .. math:: q = \mathrm{softmax}\big(B(h - \bar h)\big), \quad B(z) = z \min(1, 1 / \|z\|)

    weights in proportion to :math:`e^{h_i}`, the loss over its own geometric mean, within the bounds that the paper's
    curves have (``weight_bounds``): no task is starved, and small differences stay small.

    **3. A gradient that does not vanish.** For image n with flattened features :math:`x_n` the unit gives

    .. math:: z_n = V \frac{x_n}{\|x_n\|} + b, \quad p_n = \mathrm{softmax}(B(z_n)), \quad w = \frac1N \sum_n p_n

    and learns by :math:`g_n = p_n - q` for :math:`\partial U / \partial z_n`: the gradient of the cross-entropy
    between q and :math:`p_n` where B is the identity, taken straight through B where it is not. It is 0 only where
    :math:`p_n = q`, never above 1, and does not depend on the size of the losses. The paper's gradient passes a
    projection that is 0 at both bounds, and shrinks as its raw logits grow; these stop to grow once the bound is
    reached, so that leaving it takes as long whenever it is left.

    **4. A step of its own.** For features that look alike (:math:`x_n / \|x_n\|` the same) the step

    .. math:: V \leftarrow V - \frac{\eta}{2N} \sum_n g_n \frac{x_n^\top}{\|x_n\|}, \quad
              b \leftarrow b - \frac{\eta}{2N} \sum_n g_n

    moves the logits by :math:`-\eta g` (normalised least mean squares), whatever their size D. At equal weights the
    Hessian of the cross-entropy is 1/T on logits that sum to 0, so that Newton's step is :math:`\eta = T`; it takes a
    tenth of it, the one constant in here. Such a step comes with no optimiser, learning rate or clipping, which the
    paper's unit needs apart from the network's. V ``(T, D)`` and b ``(T,)`` start at 0: equal weights, without a seed.

    The weights of a step are those before its losses are learned from: a batch that happens to be hard for a task is
    not weighted up for it.

    Args:
        tasks: names of the tasks.
        features: size of one image's features: ``C*H*W``, or the shape ``(C, H, W)``.

    Example:
        >>> import torch
        >>> weighting = ProgressWeighting(["falls", "stands"], features=8)
        >>> for step in range(1, 200):
        ...     losses = {"falls": torch.tensor(1 / step**0.5), "stands": torch.tensor(100.0)}
        ...     _ = weighting.backward({task: loss.requires_grad_() for task, loss in losses.items()}, torch.ones(4, 8))
        ...
        >>> weighting.last_weights, torch.tensor([-0.5, 0.0]).softmax(dim=0)
        (tensor([0.3798, 0.6202]), tensor([0.3775, 0.6225]))
    """

    needs_features = True
    linear: Tensor
    bias: Tensor
    means: Tensor
    steps: Tensor

    def __init__(self, tasks: Sequence[str], features: FeatureShape) -> None:
        super().__init__(tasks)
        size = features if isinstance(features, int) else prod(features)
        if size < 1:
            raise WeightingError(f"The unit needs features, at least one; got {features}.")
        self.register_buffer("linear", torch.zeros(len(self.tasks), size))
        for name in ("bias", "means", "steps"):
            self.register_buffer(name, torch.zeros(len(self.tasks)))

    @torch.no_grad()
    def _step(self, losses: TaskLosses, features: Tensor) -> Tensor:
        """Return the weights ``(T,)`` for these features, then learn from these losses."""
        inputs = features.flatten(1).to(self.linear.dtype)
        norms = torch.linalg.vector_norm(inputs, dim=1, keepdim=True).clamp_min(NORM_FLOOR)
        logits = F.linear(inputs, self.linear) / norms + self.bias
        images = _bounded(logits, losses.mask).softmax(dim=1)
        target = _bounded(self._progress(losses)[None], losses.mask).softmax(dim=1)
        pull = (target - images) * (SHARE * len(self.tasks) / 2 / len(images))
        self.linear += mean_over_ranks((pull / norms).T @ inputs)
        self.bias += mean_over_ranks(pull.sum(dim=0))
        return mean_over_ranks(images.mean(dim=0))

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:
        checked = check_features(type(self).__name__, features, self.linear)
        with torch.autocast(checked.device.type, enabled=False):
            weights = self._step(losses, checked)
        return self._total(losses, weights)

    def _progress(self, losses: TaskLosses) -> Tensor:
        """Return h ``(T,)``, of no meaning for absent tasks, and count this step in."""
        logs = losses.levels.clamp_min(SMALLEST).log().to(self.means)
        self.steps += losses.present
        self.means += (logs - self.means) * losses.present / self.steps.clamp_min(1)
        return logs - self.means


def _bounded(logits: Tensor, mask: Tensor | None) -> Tensor:
    """Centre logits ``(N, T)`` over the present tasks, shrink longer ones to the radius; absent: minus infinity."""
    if mask is None:
        centred = logits - logits.mean(dim=1, keepdim=True)
    else:
        centred = (logits - (logits * mask).sum(dim=1, keepdim=True) / mask.sum()) * mask
    norms = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    inside: Tensor = centred * (RADIUS / norms.clamp_min(RADIUS))
    return inside if mask is None else inside.masked_fill(~mask, float("-inf"))
