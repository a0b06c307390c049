"""What is recorded of a run on its way: losses, weights, and how the tasks' gradients stand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from mien.comparison.records import PAIR, Curves, Gradients
from mien.errors import WeightingError
from mien.weighting.graph import nodes_between, require_repeatable

CURVE_POINTS = 200
"""At most so many steps are kept of losses and weights."""

GRADIENT_STEPS = 16
"""Gradients are compared at the first step and at every so many after it: each time costs a backward pass a task."""


class Recorder:
    """Keeps losses and weights of every step, and gradients of some.

    Args:
        tasks: their names.
        shared: the parameters at which gradients are compared; none to leave that out.
    """

    def __init__(self, tasks: Sequence[str], shared: Sequence[Tensor] = ()) -> None:
        self._losses: dict[str, list[float | None]] = {task: [] for task in tasks}
        self._weights: dict[str, list[float]] = {task: [] for task in tasks}
        self._trace: list[list[float]] = []
        self._shared = [parameter for parameter in shared if parameter.requires_grad] if len(tasks) > 1 else []
        names = [PAIR.join(pair) for pair in combinations(tasks, 2)]
        self._gradients = Gradients([], {task: [] for task in tasks}, {name: [] for name in names})

    def compare_gradients(self, losses: Mapping[str, Tensor]) -> None:
        """Look at the gradients before a step's backward pass, if it is their turn; the graph stays as it is."""
        number = len(self._trace)
        if not self._shared or number % GRADIENT_STEPS or len(losses) < len(self._losses):
            return
        try:
            require_repeatable("The lab", nodes_between(list(losses.values()), self._shared))
            found = {task: self._gradient(loss) for task, loss in losses.items()}
        except (WeightingError, RuntimeError):  # compiled, say: then there is nothing to record
            self._shared = []
            return
        norms = {task: float(gradient.norm()) for task, gradient in found.items()}
        self._gradients.steps.append(number + 1)
        for task, norm in norms.items():
            self._gradients.norms[task].append(norm)
        for one, other in combinations(self._losses, 2):
            product = float(found[one] @ found[other])
            self._gradients.cosines[PAIR.join((one, other))].append(product / max(norms[one] * norms[other], 1e-30))

    def _gradient(self, loss: Tensor) -> Tensor:
        parts = torch.autograd.grad(loss, self._shared, retain_graph=True, allow_unused=True, materialize_grads=True)
        return torch.cat([part.flatten() for part in parts])

    def record(self, losses: Mapping[str, Tensor], weights: Mapping[str, float], trace: list[float]) -> None:
        """Keep a step."""
        for task in self._losses:
            self._losses[task].append(float(losses[task].detach()) if task in losses else None)
            self._weights[task].append(weights[task])
        self._trace.append(trace)

    def thinned(self) -> Curves:
        """At most `CURVE_POINTS` of the steps, evenly spaced, the last one included."""
        total = len(self._trace)
        every = max(1, -(-total // CURVE_POINTS))
        kept = list(range(total - 1, -1, -every))[::-1]
        return Curves(
            steps=[index + 1 for index in kept],
            losses={task: [values[index] for index in kept] for task, values in self._losses.items()},
            weights={task: [values[index] for index in kept] for task, values in self._weights.items()},
            trace=[self._trace[index] for index in kept],
            gradients=self._gradients,
        )
