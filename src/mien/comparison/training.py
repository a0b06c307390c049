"""One run of a comparison: a method, a learning rate and a seed on an experiment."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mien.comparison.experiment import Batch, Experiment
from mien.comparison.records import SINGLE, Curves, Epoch, Plan, Run
from mien.errors import RecipeError, WeightingError
from mien.weighting import EqualWeighting, TaskWeighting, UnitWeighting, build_weighting, clip_gradients

CLIP = 5.0
"""Largest gradient norm of the network, and of the method's own parameters apart from it; the official code's."""

CURVE_POINTS = 200

_METHOD_SEED = 7_919
"""Set apart from the network's seed, so that a method with random weights leaves the network's as they are."""


def train(plan: Plan, experiment: Experiment) -> Run:
    """Make one run. A loss or a figure that is not finite, or a loss that the method refuses, ends it as a failure.

    Every method gets the same initial network, the same batches in the same order and Adam for the network. The weight
    unit has the official code's optimiser (RMSProp with decay and momentum 0.9 and epsilon 1), the parameters of other
    methods have Adam; both at the method's own learning rate, or that of the network's new layers.

    Args:
        plan: method, learning rate, seed.
        experiment: prepared.
    """
    torch.manual_seed(plan.seed)
    network = experiment.network(plan.seed)
    tasks = [plan.method.removeprefix(SINGLE)] if plan.method.startswith(SINGLE) else list(experiment.tasks)
    torch.manual_seed(_METHOD_SEED + plan.seed)
    weighting = _weighting(plan, experiment, network, tasks)
    groups = experiment.parameter_groups(network, plan.learning_rate)
    step = _Step(experiment, network, weighting, tasks, _optimizers(groups, weighting, plan.learning_rate))
    order = torch.Generator().manual_seed(plan.seed)
    torch.manual_seed(plan.seed)  # dropout
    epochs: list[Epoch] = []
    answers: dict[str, Any] = {}
    failure = ""
    try:
        for _ in range(experiment.epochs):
            network.train()
            for batch in experiment.batches(order):
                step(batch)
            weighting.end_epoch()
            epoch = _evaluate(experiment, network, tasks)
            if failure := _diverged(epoch):
                break
            if all(epoch.score > other.score for other in epochs):
                answers = _answers(experiment, network, tasks)
            epochs.append(epoch)
    except WeightingError as error:
        failure = str(error)
    median = statistics.median(step.seconds) if step.seconds else 0.0
    return Run(plan, epochs, step.curves.thinned(), median, failure, answers)


def _weighting(plan: Plan, experiment: Experiment, network: nn.Module, tasks: list[str]) -> TaskWeighting:
    if plan.method.startswith(SINGLE):
        return EqualWeighting(tasks)
    name, weights = parse_method(plan.method, tasks)
    shared = experiment.shared_parameters(network)
    return build_weighting(name, tasks, tuple(experiment.features()), weights, shared_parameters=shared)


def parse_method(method: str, tasks: Sequence[str]) -> tuple[str, dict[str, float]]:
    """Divide a method's text into its name and its weights, if it has some.

    Raises:
        RecipeError: the weights are not one number a task.

    >>> parse_method("dynamic", ["a", "b"]), parse_method("fixed 1:0.1", ["a", "b"])
    (('dynamic', {}), ('fixed', {'a': 1.0, 'b': 0.1}))
    """
    name, _, text = method.partition(" ")
    try:
        return name, dict(zip(tasks, map(float, text.split(":")), strict=True)) if text else {}
    except ValueError as error:
        raise RecipeError(f"method {method!r} needs {len(tasks)} weights, such as 'fixed 1:0.1'") from error


def _optimizers(groups: list[dict[str, Any]], weighting: TaskWeighting, rate: float) -> list[torch.optim.Optimizer]:
    # A method that names no rate learns as new layers do, not as pretrained ones, whose rate may be a thirtieth of it.
    own, own_rate = list(weighting.parameters()), weighting.learning_rate or max(group["lr"] for group in groups)
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(groups, lr=rate)]
    if own and isinstance(weighting, UnitWeighting):  # as in the official code
        optimizers.append(torch.optim.RMSprop(own, lr=own_rate, alpha=0.9, momentum=0.9, eps=1.0))
    elif own:
        optimizers.append(torch.optim.Adam(own, lr=own_rate))
    return optimizers


def _evaluate(experiment: Experiment, network: nn.Module, tasks: Collection[str]) -> Epoch:
    network.eval()
    with torch.no_grad():
        found = [experiment.evaluate(network, "validation", tasks), experiment.evaluate(network, "test", tasks)]
    return Epoch(*[{task: float(figure) for task, figure in figures.items()} for figures in found])


def _diverged(epoch: Epoch) -> str:
    """What is wrong with an epoch's figures; empty when they are numbers."""
    for part, figures in (("validation", epoch.validation), ("test", epoch.test)):
        for task, figure in figures.items():
            if not math.isfinite(figure):
                return f"the {part} figure of {task} is {figure}"
    return ""


def _answers(experiment: Experiment, network: nn.Module, tasks: Collection[str]) -> dict[str, Any]:
    network.eval()
    with torch.no_grad():
        return experiment.answers(network, tasks)


@dataclass
class _Step:
    """Makes steps, and remembers what they cost and did."""

    experiment: Experiment
    network: nn.Module
    weighting: TaskWeighting
    tasks: list[str]
    optimizers: list[torch.optim.Optimizer]
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.curves = _Recorder(self.tasks)

    def __call__(self, batch: Batch) -> None:
        start = time.perf_counter()
        losses, features = self.experiment.losses(self.network, batch, self.tasks)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.weighting.backward(losses, features=features)
        clip_gradients(self.network, self.weighting, CLIP)
        for optimizer in self.optimizers:
            optimizer.step()
        if self.weighting.needs_losses_after_step:
            with torch.no_grad():
                self.weighting.after_step(self.experiment.losses(self.network, batch, self.tasks)[0])
        self.experiment.after_step(self.network)
        self.seconds.append(time.perf_counter() - start)
        self.curves.record(losses, self.weighting.weights, self.experiment.trace(self.network))


class _Recorder:
    """Losses and weights of every step."""

    def __init__(self, tasks: list[str]) -> None:
        self.losses: dict[str, list[float | None]] = {task: [] for task in tasks}
        self.weights: dict[str, list[float]] = {task: [] for task in tasks}
        self.trace: list[list[float]] = []

    def record(self, losses: dict[str, Tensor], weights: dict[str, float], trace: list[float]) -> None:
        for task in self.losses:
            self.losses[task].append(float(losses[task].detach()) if task in losses else None)
            self.weights[task].append(weights[task])
        self.trace.append(trace)

    def thinned(self) -> Curves:
        """At most `CURVE_POINTS` of them, evenly spaced, the last one included."""
        total = len(self.trace)
        every = max(1, -(-total // CURVE_POINTS))
        kept = list(range(total - 1, -1, -every))[::-1]
        return Curves(
            steps=[index + 1 for index in kept],
            losses={task: [values[index] for index in kept] for task, values in self.losses.items()},
            weights={task: [values[index] for index in kept] for task, values in self.weights.items()},
            trace=[self.trace[index] for index in kept],
        )
