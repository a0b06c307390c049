"""The levels of the contract that every weighting method keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import WeightingError
from mien.weighting.features import Features
from mien.weighting.losses import TaskLosses, gather_losses, weighted_sum
from mien.weighting.names import TaskNames
from mien.weighting.precision import WideBuffers
from mien.weighting.ranks import average_gradients, copy_first_module, mean_over_ranks, world_size
from mien.weighting.reminders import ParameterReminder


class TaskWeighting(TaskNames, WideBuffers, ABC):
    """Balances the losses of several tasks that share a network; T tasks, known by their names.

    Losses come as a mapping from task name to a scalar tensor. A task without a label in the batch is left out of the
    mapping: its weight is 0 for that step, and nothing is learned about it. A loss that is not finite, or a constant
    without a graph (given for an absent task, say), raises before any gradient is written, so that a training loop may
    stop or skip the batch.

    What cannot work raises. What a training loop forgets, so that the method learns nothing, is told once by a
    ``WeightingWarning``: parameters of its own that no optimizer changes, ``after_step`` or ``end_epoch`` never called.

    Gradients of several ``backward`` calls add up, but micro-batches are not one large batch: each call is a step of
    the method, decided by its own losses (the mean of 1/L over micro-batches is not 1 over the mean of L). Give the
    losses as they are, not divided by the number of micro-batches, as most methods depend on their size; divide the
    gradients of the network instead.

    In a distributed run all ranks decide alike, on the same losses and, from the first step, with the parameters of
    the first rank.

    Args:
        tasks: the names of the tasks, in the order of all vectors of weights; at least one, none twice.

    Attributes:
        needs_features: whether ``backward`` must be given ``features``.
        needs_shared_parameters: whether it is made with parameters that all tasks share.
        learning_rate: of the method's own parameters, where the method's source says one; None: that of the network.
        needs_losses_after_step: whether ``after_step`` must be called after the optimiser's step, with the losses of
            the same batch measured again (a second forward pass); other methods do nothing there.
        needs_epoch_ends: whether ``end_epoch`` must be called after each epoch; other methods do nothing there.

    Raises:
        WeightingError: for an empty or repeating list of tasks, and at each step for losses that are empty, unknown,
            not scalar, not finite, not attached, or without features where the method needs them; and when a state is
            loaded that belongs to other tasks or to the same ones in another order.
    """

    needs_features: bool = False
    needs_shared_parameters: bool = False
    needs_losses_after_step: bool = False
    needs_epoch_ends: bool = False
    learning_rate: float | None = None
    last_weights: Tensor
    kept_weights: Tensor

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.register_buffer("last_weights", torch.zeros(len(self.tasks)))
        self.register_buffer("kept_weights", torch.zeros(len(self.tasks)))
        self._ranks_agree = False
        self._parameter_reminder = ParameterReminder()

    @abstractmethod
    def backward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Write the gradients of one step, in place of ``total.backward()``; gradients add up over calls.

        Args:
            losses: task name to scalar loss, attached to the graph; absent tasks are left out. They may come from one
                forward pass or from one for each task.
            features: what all branches of the network read, attached to the graph: ``(N, ...)``, or several tensors;
                where tasks come from different batches, a mapping from each task's name to those of its batch.

        Returns:
            The detached total loss, a scalar: the weighted sum of the given losses and nothing else.
        """

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Learn from the losses of the same batch, measured again after the optimiser's step."""

    def end_epoch(self) -> None:
        """Learn from the epoch that has just ended."""

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the last step by task, for logs; 0 for an absent task, and for all before the first step."""
        return dict(zip(self.tasks, self.last_weights.tolist(), strict=True))

    def _remember(self, weights: Tensor, losses: TaskLosses) -> None:
        """Keep the weights ``(T,)`` of this step, and of the absent tasks those of before."""
        with torch.no_grad():
            self.last_weights.copy_(weights)
            if losses.mask is None:
                self.kept_weights.copy_(weights)
            else:
                present = losses.mask.to(self.kept_weights.device)
                self.kept_weights.copy_(torch.where(present, self.last_weights, self.kept_weights))

    def _require_finite(self, weights: Tensor, losses: TaskLosses) -> None:
        if not all(map(isfinite, weights.tolist())):
            given = dict(zip(self.tasks, losses.known, strict=True))
            raise WeightingError(
                f"{type(self).__name__} has no finite weights for losses of such sizes: {given}. Scale the losses, or "
                "choose another method."
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Take states of before `kept_weights`, too."""
        if (last := state_dict.get(f"{prefix}last_weights")) is not None:
            state_dict.setdefault(f"{prefix}kept_weights", last)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _gather(self, losses: Mapping[str, Tensor]) -> TaskLosses:
        """Check the losses, put them in order, and make the ranks agree before the first step."""
        gathered = gather_losses(self.tasks, losses)
        if not self._ranks_agree and world_size() > 1:
            self._copy_first_rank()
            self._ranks_agree = True
        return gathered

    def _begin(self, losses: Mapping[str, Tensor]) -> TaskLosses:
        """Begin a step that is learned from: gather losses that are all attached to a graph."""
        gathered = self._gather(losses)
        require_gradients(losses)
        self._parameter_reminder.step(self)
        return gathered

    def _copy_first_rank(self) -> None:
        copy_first_module(self)

    def extra_repr(self) -> str:
        """Name the tasks when the module is printed."""
        return f"tasks={list(self.tasks)}"


class ScalarWeighting(TaskWeighting):
    """A method that turns the losses into one objective, so that one ordinary backward pass does all.

    ``weighting(losses, features)`` returns that objective; its value is the total loss, the weighted sum, whatever
    else its gradient serves. Use it where ``backward`` does not fit, e.g. ``scaler.scale(objective).backward()``, or
    ``(objective / n).backward()`` for each of n micro-batches.

    In evaluation mode, and under ``no_grad``, it learns nothing, asks no other rank, and returns the losses under the
    weights of the last step that had them; before the first one, their sum.

    In a distributed run losses and weights are averaged over the ranks, so that all ranks use the same weights, and
    ``backward`` averages the gradients of the method's own parameters. After ``objective.backward()`` call
    ``mien.weighting.average_gradients(weighting)``. Batches should be of one size on all ranks.
    """

    def forward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Return the objective, a scalar attached to the graph, whose value is the total loss.

        Args:
            losses: task name to scalar loss; absent tasks are left out.
            features: as in ``backward``, for methods that need them in training.
        """
        if not learns(self):
            return weighted_sum(self.tasks, losses, self.kept_weights)
        return self._objective(self._begin(losses), features)

    def backward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Write the gradients of one step and return the detached total loss; see ``TaskWeighting.backward``."""
        objective = self._objective(self._begin(losses), features)
        objective.backward()  # type: ignore[no-untyped-call]
        average_gradients(self)
        return mean_over_ranks(objective)

    @abstractmethod
    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:
        """Return the objective of checked losses, and remember the weights."""

    def _total(self, losses: TaskLosses, weights: Tensor) -> Tensor:
        """Return ``sum_i sg(w_i) L_i`` for weights ``(T,)`` and remember them."""
        constant = weights.detach()
        self._require_finite(constant, losses)
        self._remember(constant, losses)
        return torch.dot(constant.to(losses.values.dtype), losses.values)


class LossWeighting(ScalarWeighting):
    """A method whose weights follow from the losses, and from what it has seen of them before, alone."""

    def _objective(self, losses: TaskLosses, features: Features | None) -> Tensor:  # noqa: ARG002 - of losses alone
        with torch.no_grad():
            weights = self._weigh(losses)
        return self._total(losses, weights)

    @abstractmethod
    def _weigh(self, losses: TaskLosses) -> Tensor:
        """Return the weights ``(T,)``, 0 for absent tasks; runs without gradients, once a step."""


def learns(weighting: nn.Module) -> bool:
    """Whether a method may learn from what it is given: not from losses that are only measured."""
    return weighting.training and torch.is_grad_enabled()


def require_gradients(losses: Mapping[str, Tensor]) -> None:
    """Raise ``WeightingError`` when a loss is not attached to a graph: a constant would be weighed like a real loss."""
    loose = [task for task, loss in losses.items() if not loss.requires_grad]
    if len(loose) == len(losses):
        raise WeightingError(
            "None of the losses has a gradient to give: compute them outside of no_grad and do not detach them."
        )
    if loose:
        raise WeightingError(
            f"The losses of {loose} are not attached to a graph: leave tasks without labels out of the mapping "
            "instead of giving a constant for them."
        )


def require_positive(method: TaskWeighting, losses: TaskLosses) -> None:
    """Raise ``WeightingError`` when a loss is negative, for methods that have no meaning then."""
    if min(losses.known) < 0:
        given = dict(zip(method.tasks, losses.known, strict=True))
        raise WeightingError(
            f"{type(method).__name__} needs losses that are not negative, got {given}: add a constant to them, or "
            "choose another method."
        )


def valueless(term: Tensor) -> Tensor:
    """Return a term of value 0 with the gradient of ``term``."""
    return term - term.detach()
