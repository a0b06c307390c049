"""One run of a comparison: a method, a learning rate and a seed on an experiment."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import nn

from mien.comparison.experiment import Batch, Experiment
from mien.comparison.optimizers import make_optimizers
from mien.comparison.recorder import Recorder
from mien.comparison.records import SINGLE, Epoch, Plan, Run
from mien.errors import RecipeError, WeightingError
from mien.weighting import EqualWeighting, TaskWeighting, build_weighting, clip_gradients
from mien.weighting.custom import is_custom

CLIP = 5.0
"""Largest gradient norm of the network, and of the method's own parameters apart from it; the official code's."""

_METHOD_SEED = 7_919
"""Set apart from the network's seed, so that a method with random weights leaves the network's as they are."""

_T = TypeVar("_T")


def train(plan: Plan, experiment: Experiment, alone: Mapping[str, float] | None = None) -> Run:
    """Make one run. A loss or a figure that is not finite, or a loss that the method refuses, ends it as a failure.

    Every method gets the same initial network, the same batches in the same order and Adam for the network. The weight
    unit has the official code's optimizer (RMSProp with decay and momentum 0.9 and epsilon 1), the parameters of other
    methods have Adam; both at the method's own learning rate, or that of the network's new layers.

    Args:
        plan: method, learning rate, seed.
        experiment: prepared.
        alone: figures of the tasks trained alone, for `Experiment.score`.
    """
    torch.manual_seed(plan.seed)
    network = experiment.network(plan.seed)
    tasks = [plan.method.removeprefix(SINGLE)] if plan.method.startswith(SINGLE) else list(experiment.tasks)
    torch.manual_seed(_METHOD_SEED + plan.seed)
    weighting = _weighting(plan, experiment, network, tasks)
    groups = experiment.parameter_groups(network, plan.learning_rate)
    step = _Step(experiment, network, weighting, tasks, make_optimizers(groups, weighting, plan.learning_rate))
    order = torch.Generator().manual_seed(plan.seed)
    torch.manual_seed(plan.seed)  # dropout
    epochs: list[Epoch] = []
    failure = ""
    kept: _Kept = ({}, {})
    try:
        for _ in range(experiment.epochs):
            network.train()
            for batch in experiment.batches(order):
                step(batch)
            weighting.end_epoch()
            epoch = _evaluate(experiment, network, tasks, alone or {})
            if failure := _diverged(epoch):
                break
            if all(epoch.score > other.score for other in epochs):
                kept = _measured(
                    network, lambda: (experiment.answers(network, tasks), experiment.sample_figures(network, tasks))
                )
            epochs.append(epoch)
    except WeightingError as error:
        failure = str(error)
    median = statistics.median(step.seconds) if step.seconds else 0.0
    return Run(plan, epochs, step.recorder.thinned(), median, failure, *kept)


_Kept = tuple[dict[str, object], dict[str, list[float]]]


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
    if is_custom(method):
        return method, {}
    name, _, text = method.partition(" ")
    try:
        return name, dict(zip(tasks, map(float, text.split(":")), strict=True)) if text else {}
    except ValueError as error:
        raise RecipeError(f"method {method!r} needs {len(tasks)} weights, such as 'fixed 1:0.1'") from error


def _measured(network: nn.Module, measure: Callable[[], _T]) -> _T:
    network.eval()
    with torch.no_grad():
        return measure()


def _evaluate(experiment: Experiment, network: nn.Module, tasks: Collection[str], alone: Mapping[str, float]) -> Epoch:
    def measure(part: str) -> dict[str, float]:
        figures = experiment.evaluate(network, "test" if part == "test" else "validation", tasks)
        return {task: float(figure) for task, figure in figures.items()}

    validation, test = _measured(network, lambda: (measure("validation"), measure("test")))
    return Epoch(validation, test, experiment.score(validation, alone))


def _diverged(epoch: Epoch) -> str:
    """What is wrong with an epoch's figures; empty when they are numbers."""
    for part, figures in (("validation", epoch.validation), ("test", epoch.test)):
        for task, figure in figures.items():
            if not math.isfinite(figure):
                return f"the {part} figure of {task} is {figure}"
    return ""


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
        self.recorder = Recorder(self.tasks, self.experiment.shared_parameters(self.network))

    def __call__(self, batch: Batch) -> None:
        start = time.perf_counter()
        losses, features = self.experiment.losses(self.network, batch, self.tasks)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        start += self._untimed(lambda: self.recorder.compare_gradients(losses))
        self.weighting.backward(losses, features=features)
        clip_gradients(self.network, self.weighting, CLIP)
        for optimizer in self.optimizers:
            optimizer.step()
        if self.weighting.needs_losses_after_step:
            with torch.no_grad():
                self.weighting.after_step(self.experiment.losses(self.network, batch, self.tasks)[0])
        self.experiment.after_step(self.network)
        self.seconds.append(time.perf_counter() - start)
        self.recorder.record(losses, self.weighting.weights, self.experiment.trace(self.network))

    def _untimed(self, work: Callable[[], object]) -> float:
        """Do what is not part of a step; return how long it took."""
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
