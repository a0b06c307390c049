"""A weighting method on normalised losses."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import ScalarWeighting, TaskWeighting, learns, require_gradients
from mien.weighting.features import Features
from mien.weighting.losses import gather_losses
from mien.weighting.normalization import LossScale


class NormalizedWeighting(TaskWeighting):
    r"""Any weighting method, on losses divided by a scale: :math:`\tilde L_i = L_i / c_i`, with constant :math:`c_i`.

    The inner method sees nothing but :math:`\tilde L_i`. So its decisions no longer depend on what kind of loss a task
    has, and **the objective changes too**: the network is trained on the weighted sum of the normalised losses, task i
    with an effective weight of :math:`w_i / c_i`. That sum is what ``backward`` returns; ``weights`` are the inner
    method's :math:`w_i`.

    Args:
        inner: the method.
        scale: where the divisors come from: ``ChanceLevel``, ``InitialValue`` or ``RunningMean``, for the same tasks.
            Each call of ``backward``, or of the module itself, is one observation.

    Raises:
        WeightingError: when the two are made for different tasks.

    Example:
        >>> import torch
        >>> from mien.weighting import EqualWeighting, InitialValue
        >>> tasks = ["a", "b"]
        >>> weighting = NormalizedWeighting(EqualWeighting(tasks), InitialValue(tasks))
        >>> a, b = torch.tensor(8.0, requires_grad=True), torch.tensor(0.5, requires_grad=True)
        >>> weighting.backward({"a": a, "b": b})
        tensor(1.)
        >>> a.grad, b.grad
        (tensor(0.0625), tensor(1.))
    """

    def __init__(self, inner: TaskWeighting, scale: LossScale) -> None:
        super().__init__(inner.tasks)
        if scale.tasks != inner.tasks:
            raise WeightingError(f"The scale is made for {list(scale.tasks)}, the method for {list(inner.tasks)}.")
        self.inner = inner
        self.needs_features = inner.needs_features
        self.needs_shared_parameters = inner.needs_shared_parameters
        self.needs_losses_after_step = inner.needs_losses_after_step
        self.needs_epoch_ends = inner.needs_epoch_ends
        self.learning_rate = inner.learning_rate
        self.scale = scale

    def backward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Write the gradients of one step; return the detached weighted sum of the normalised losses."""
        total = self.inner.backward(self._observed(losses), features)
        self._copy_weights()
        return total

    def forward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Return the objective, as ``ScalarWeighting`` does.

        Raises:
            WeightingError: when the inner method has no scalar objective.
        """
        if not isinstance(self.inner, ScalarWeighting):
            raise WeightingError(f"{type(self.inner).__name__} has no scalar objective: call backward instead.")
        if not learns(self):
            return self.inner.forward(self._divided(losses), features)
        objective = self.inner.forward(self._observed(losses), features)
        self._copy_weights()
        return objective

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Pass the losses on, divided by the scales of the step that was made."""
        self.inner.after_step(self._divided(losses))

    def end_epoch(self) -> None:
        """Pass the end of the epoch on."""
        self.inner.end_epoch()

    def _observed(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        gathered = gather_losses(self.tasks, losses)
        require_gradients(losses)
        with torch.no_grad():
            self.scale.observe(gathered)
        return self._divided(losses)

    def _copy_weights(self) -> None:
        self.last_weights.copy_(self.inner.last_weights)
        self.kept_weights.copy_(self.inner.kept_weights)

    def _divided(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses by their scales; those of a task that was never observed as they are."""
        known = self.scale.scales().detach()
        scales = dict(zip(self.tasks, torch.where(known > 0, known, 1.0).unbind(), strict=True))
        return {task: loss / scales[task] for task, loss in losses.items()}
