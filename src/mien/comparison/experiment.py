"""What weighting methods are compared on: the interface of an experiment."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from mien.errors import RecipeError
from mien.files import walk
from mien.weighting import Features

Part = Literal["validation", "test"]
Batch = Any
"""Whatever ``batches`` yields and ``losses`` takes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a task is judged by.

    Attributes:
        name: such as ``accuracy``.
        unit: ``%`` shows a share of 0.5 as 50 %; others are shown as they are.
        higher_is_better: False for an error.
    """

    name: str
    unit: str = "%"
    higher_is_better: bool = True

    @property
    def sign(self) -> int:
        """1, or -1 for an error."""
        return 1 if self.higher_is_better else -1


@dataclass(frozen=True)
class Experiment(ABC):
    """A multi-task problem: data, a network and losses; methods, seeds, optimisers and statistics are the lab's.

    An experiment of your own is one Python file with one subclass, a frozen dataclass whose fields are what ``--set``
    may change: ``mien compare my_experiment.py``. Whatever is random must be drawn from the generator that is given, or
    from torch's global one where none is, so that all methods of a seed see the same data in the same order and start
    from the same network.

    Attributes:
        name: for headings and folders.
        tasks: each task's name and its `Figure`; a text is the name of a figure of which more is better.
        unit: of the figures that are given by their names: ``%`` shows a share of 0.5 as 50 %.
        epochs: how often ``batches`` is gone through.
        learning_rates: the grid from which each method's learning rate is chosen.
        starts: where seeds are not random draws but starting points: how many there are; else 0. Nothing is then
            inferred from the spread over them.
        single_tasks: whether the tasks are also trained alone, for the gain over single-task training.
        neutral: settings that were added later, with the values that change nothing: at these they are left out of what
            tells runs apart.
    """

    name: ClassVar[str]
    tasks: ClassVar[Mapping[str, str | Figure]]
    unit: ClassVar[str] = "%"
    starts: ClassVar[int] = 0
    single_tasks: ClassVar[bool] = True
    neutral: ClassVar[Mapping[str, object]] = {}

    epochs: int
    learning_rates: tuple[float, ...]

    @property
    def figures(self) -> dict[str, Figure]:
        """What each task is judged by."""
        return {
            task: figure if isinstance(figure, Figure) else Figure(figure, self.unit)
            for task, figure in self.tasks.items()
        }

    def score(self, figures: Mapping[str, float], alone: Mapping[str, float]) -> float:
        """What learning rates, epochs and fixed weights are chosen by, on validation data; higher is better.

        By default the mean relative gain over training each task alone, so that figures of any unit count alike; where
        ``alone`` is empty, the mean of the figures.

        Args:
            figures: validation figures by task; all of them, or one where a task is trained alone.
            alone: figures of the tasks trained alone.

        Raises:
            RecipeError: the figures are of different units or directions and there is nothing to compare them with.
        """
        told = {task: self.figures[task] for task in figures}
        if figures and all(alone.get(task) for task in figures):
            return sum(
                told[task].sign * (value - alone[task]) / abs(alone[task]) for task, value in figures.items()
            ) / len(figures)
        if len({(figure.unit, figure.sign) for figure in told.values()}) > 1:
            raise RecipeError(
                f"experiment {self.name} has figures of different kinds, of which no mean can be taken: let it train "
                "single tasks, or write its `score`"
            )
        return sum(told[task].sign * value for task, value in figures.items()) / max(1, len(figures))

    def prepare(self) -> None:  # noqa: B027 - most experiments have nothing to prepare
        """Read the data, once, before anything else is called.

        Raises:
            MienError: it cannot be had.
        """

    def data_digest(self) -> str:
        """What tells the data that were read from others; asked after `prepare`. Runs on other data are not mixed in.

        By default the SHA-256 of name, size and time of change of all files under the paths among the fields; empty
        where there are none, as with generated data. Override it where data come from elsewhere, or where their content
        tells more, as copies of files may have other times.
        """
        found = {
            item.name: _files(value)
            for item in fields(self)
            if item.init and isinstance(value := getattr(self, item.name), Path)
        }
        return hashlib.sha256(json.dumps(found).encode()).hexdigest() if found else ""

    @abstractmethod
    def network(self, seed: int) -> nn.Module:
        """A new network, its random weights from torch's global generator, which the lab has seeded."""

    @abstractmethod
    def features(self) -> Sequence[int]:
        """Shape ``(C, ...)`` of one sample's shared features."""

    @abstractmethod
    def shared_parameters(self, network: nn.Module) -> list[nn.Parameter]:
        """The last parameters that all tasks share, for GradNorm."""

    def parameter_groups(self, network: nn.Module, rate: float) -> list[dict[str, Any]]:
        """What the network's optimiser trains, in groups of their own learning rates where the layers want that."""
        return [{"params": [parameter for parameter in network.parameters() if parameter.requires_grad], "lr": rate}]

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterable[Batch]:
        """The training batches of one epoch, in an order drawn from ``generator``."""

    @abstractmethod
    def losses(self, network: nn.Module, batch: Batch, tasks: Collection[str]) -> tuple[dict[str, Tensor], Features]:
        """A forward pass in training, or one for each task where their batches differ.

        Returns:
            The loss of each of ``tasks`` that has labels in the batch, and the shared features ``(N, C, ...)``,
            attached to the graph; by task where their batches differ.
        """

    def after_step(self, network: nn.Module) -> None:  # noqa: B027 - few have something
        """Update what is not learned by gradients."""

    @abstractmethod
    def evaluate(self, network: nn.Module, part: Part, tasks: Collection[str]) -> dict[str, float]:
        """Each task's figure on a part of the data that is not trained on."""

    def sample_figures(self, network: nn.Module, tasks: Collection[str]) -> dict[str, list[float]]:  # noqa: ARG002
        """Each task's figure for every test sample, whose mean is the figure; in the same order for every network.

        From these the uncertainty is told that the test data add to that of the seeds. By default none.
        """
        return {}

    def answers(self, network: nn.Module, tasks: Collection[str]) -> dict[str, Any]:  # noqa: ARG002
        """What to keep of the network of the chosen epoch, as JSON can hold it; asked after `evaluate`."""
        return {}

    def trace(self, network: nn.Module) -> list[float]:  # noqa: ARG002
        """What else to record of the network beside losses and weights, e.g. where it stands in a landscape."""
        return []


def _files(path: Path) -> list[tuple[str, int, int]]:
    """Name from ``path`` on, size and time of change, in nanoseconds, of a file or of all files in a folder."""
    files = walk(path) if path.is_dir() else [path]
    states = [(each.relative_to(path).as_posix(), each.stat()) for each in files if each.is_file()]
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]
