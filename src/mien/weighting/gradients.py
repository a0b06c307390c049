"""What methods that combine one gradient for each task have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.contract import TaskWeighting
from mien.weighting.features import Features, features_of, parts_of
from mien.weighting.graph import are_nested
from mien.weighting.jacobian import (
    Branch,
    add_gradients,
    require_apart,
    rows_at_cut,
    rows_through_trunk,
    split,
    through_branch,
    trunk_of,
)
from mien.weighting.ranks import world_size

Place = Literal["parameters", "features"]
"""With respect to what gradients are compared."""


class PerGradientWeighting(TaskWeighting):
    r"""A method that takes the gradients of all losses apart, and makes one of them.

    The P parameters below ``features`` are shared; for them it takes the Jacobian J ``(K, P)``, the gradients of the K
    present losses, in float32 or wider, and writes what the method makes of it. Parameters above the cut get the plain
    sum of the losses' gradients; no two losses may have anything in common but that cut and what is below.

    **At the features.** With ``at="features"`` J is the gradient at the shared features themselves, which is cheaper:
    the trunk is passed once, by an ordinary backward pass, and may be compiled. It is an approximation (MGDA-UB and
    others); the weights are those of J, and all tasks must read the same features of the same images.

    **Tasks from different batches** give a mapping of features, see ``backward``; the gradients are then those of each
    task's own batch.

    A batch with a single task is an ordinary backward pass. When anything cannot be done, no gradient is written. A
    distributed run is refused, as these gradients pass by ``DistributedDataParallel``, and the ranks would drift apart
    unnoticed.

    Args:
        tasks: names of the tasks.
        at: ``parameters``, the default, or ``features``.
        parallel_chunk_size: how many tasks are differentiated at once, by ``torch.vmap``. Default 1, one after the
            other: it works with recurrent networks, which vmap does not, and on a processor it is faster for
            convolutions. None is all at once.

    Raises:
        WeightingError: at a step in a distributed run; when ``features`` are not given, not attached to the graph of
            trained parameters, or not what the losses were computed from; when the trunk cannot be differentiated once
            for each task (compiled by another backend than aot_eager, a reentrant checkpoint); when the method finds no
            direction.
    """

    needs_features = True

    def __init__(self, tasks: Sequence[str], *, at: Place = "parameters", parallel_chunk_size: int | None = 1) -> None:
        super().__init__(tasks)
        if at not in ("parameters", "features"):
            raise WeightingError(f"`at` must be 'parameters' or 'features'; got {at!r}.")
        self.at = at
        self.parallel_chunk_size = parallel_chunk_size

    @property
    def method_name(self) -> str:
        """What to call it in errors."""
        return type(self).__name__

    @abstractmethod
    def _combine(self, jacobian: Tensor, levels: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the direction ``(P,)`` and the K weights behind it, None if there are none.

        Args:
            jacobian: ``(K, P)``, one row for each present task, in the order of the tasks.
            levels: ``(K,)``, their losses.
            present: ``(T,)`` bool, which of the tasks these are.
        """

    def _prepared(self, loss: Tensor) -> Tensor:
        """Return what is differentiated in place of a loss."""
        return loss

    def backward(self, losses: Mapping[str, Tensor], features: Features | None = None) -> Tensor:
        """Write the gradients of one step and return the detached total loss; see ``TaskWeighting.backward``."""
        if world_size() > 1:
            raise WeightingError(
                f"{self.method_name} needs one gradient per task, which DistributedDataParallel does not "
                "average: run it in one process, or choose a method of losses."
            )
        gathered = self._begin(losses)
        given = [task for task in self.tasks if task in losses]
        cuts = self._cuts(given, features)
        if gathered.count == 1:
            self._prepared(gathered.values.sum()).backward()  # type: ignore[no-untyped-call]
            weights: Tensor | None = torch.ones(1)
        else:
            branches = [
                through_branch(self.method_name, task, self._prepared(losses[task]), cut)
                for task, cut in zip(given, cuts, strict=True)
            ]
            weights = self._write(branches, cuts, gathered.levels[gathered.present], gathered.present)
        if weights is None:
            self._remember(torch.where(gathered.present, float("nan"), 0.0), gathered)
            return gathered.mean(gathered.levels)
        full = torch.zeros_like(gathered.levels)
        full[gathered.present] = weights.to(full)
        self._remember(full, gathered)
        return torch.dot(full, gathered.levels)

    def _cuts(self, tasks: Sequence[str], features: Features | None) -> list[list[Tensor]]:
        """Return the shared features that each task's branch reads."""
        cuts = [features_of(task, features) for task in tasks] if features is not None else []
        if not cuts or any(tensor.grad_fn is None for cut in cuts for tensor in cut):
            raise WeightingError(
                f"{self.method_name} cuts the network at the shared features: pass `features`, the tensor that all "
                "branches read, attached to the graph of parameters that are trained. It has nothing to do when the "
                "whole trunk is frozen."
            )
        if self.at == "features" and any(list(map(id, cut)) != list(map(id, cuts[0])) for cut in cuts):
            raise WeightingError(
                f"{self.method_name} with at='features' needs all tasks to read the same features: choose "
                "at='parameters' for tasks from different batches."
            )
        if self.at == "features" and are_nested(cuts[0]):
            raise WeightingError(
                f"{self.method_name} with at='features' needs features of which none is computed from another: choose "
                "at='parameters'."
            )
        return cuts

    def _write(
        self, branches: Sequence[Branch], cuts: Sequence[Sequence[Tensor]], levels: Tensor, present: Tensor
    ) -> Tensor | None:
        """Write all gradients; return the weights of the present tasks, where there are any."""
        if self.at == "features":
            cut = parts_of(branches[0].cut)
            direction, weights = self._checked(rows_at_cut(branches), levels, present)
            torch.autograd.backward(cut, split(direction, cut))
        else:
            shared = trunk_of(self.method_name, cuts)
            require_apart(self.method_name, branches, shared)
            rows = rows_through_trunk(self.method_name, branches, shared, self.parallel_chunk_size)
            direction, weights = self._checked(rows, levels, present)
            add_gradients(shared, split(direction, shared))
        for branch in branches:
            add_gradients(branch.own, branch.at_own)
        return weights

    def _checked(self, jacobian: Tensor, levels: Tensor, present: Tensor) -> tuple[Tensor, Tensor | None]:
        """Combine the gradients; raise ``WeightingError`` when nothing usable comes of it."""
        if not bool(torch.isfinite(torch.linalg.vector_norm(jacobian, dim=1)).all()):  # before a solver remembers them
            raise WeightingError(f"{self._told(jacobian)}: they are too large; scale the losses.")
        try:
            direction, weights = self._combine(jacobian, levels, present)
        except WeightingError:
            raise
        except Exception as error:  # solvers raise errors of many types
            raise WeightingError(f"{self._told(jacobian)}: {type(error).__name__}: {error}") from error
        if not bool(torch.isfinite(direction).all()):
            raise WeightingError(f"{self._told(jacobian)}: the direction is not finite.")
        return direction, weights

    def _told(self, jacobian: Tensor) -> str:
        norms = ", ".join(f"{norm:.3g}" for norm in torch.linalg.vector_norm(jacobian, dim=1).tolist())
        return f"{self.method_name} found no direction for gradients of the norms {norms}; no gradient was written"

    def extra_repr(self) -> str:
        """Tell the settings when the module is printed."""
        return f"{super().extra_repr()}, at={self.at!r}"
