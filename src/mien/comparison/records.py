"""What a run leaves behind, and a folder that keeps it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mien.weighting.custom import source_of

SINGLE = "single: "
"""Begins the name of a run that trains one task alone, in the place of a method's."""

PAIR = " and "
"""Between the names of two tasks."""

Score = Callable[[Mapping[str, float]], float]
"""From validation figures by task to a number, higher is better."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One training run.

    Attributes:
        method: a weighting method's name or the ``path/to/file.py:Class`` of one, ``fixed`` with weights in the order
            of the tasks (``fixed 1:0.1``), or ``single: <task>``.
        learning_rate: of the network.
        seed: of the initial network and of the order of the data.
    """

    method: str
    learning_rate: float
    seed: int

    @property
    def file_name(self) -> str:
        """The file that keeps the run's record."""
        method = re.sub(r"[^\w.-]+", "-", self.method)
        if re.search(r"[^\w.: -]", self.method):  # something is lost that may tell it from another
            method += f"-{hashlib.sha256(self.method.encode()).hexdigest()[:8]}"
        rate = f"{self.learning_rate:g}"
        rate = rate if float(rate) == self.learning_rate else repr(self.learning_rate)
        return f"{method}_lr{rate}_seed{self.seed}.json"


@dataclass(frozen=True, slots=True)
class Epoch:
    """What was measured after an epoch.

    Attributes:
        validation: figures by task, on validation data.
        test: the same on test data.
        score: what epochs are chosen by, higher is better. By default the mean of the validation figures.
    """

    validation: dict[str, float]
    test: dict[str, float]
    score: float = math.nan

    def __post_init__(self) -> None:
        """Fill the default in."""
        if math.isnan(self.score):
            object.__setattr__(self, "score", sum(self.validation.values()) / max(1, len(self.validation)))


@dataclass(frozen=True, slots=True)
class Gradients:
    """The tasks' gradients at the last parameters that all share, at a few steps.

    Attributes:
        steps: these steps, counted from 1; those at which a task had no loss are left out.
        norms: each task's norm.
        cosines: of the angle between two tasks' gradients, by both names with `PAIR` in between.
    """

    steps: list[int]
    norms: dict[str, list[float]]
    cosines: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Curves:
    """What happened on the way, at every k-th step.

    Attributes:
        steps: the steps, counted from 1.
        losses: each task's loss at these steps; None where the batch had no label of the task.
        weights: each task's weight; empty for methods that have none, as they say by NaN.
        trace: what the experiment records of the network.
        gradients: how the tasks' gradients stand to each other at some of the steps.
    """

    steps: list[int]
    losses: dict[str, list[float | None]]
    weights: dict[str, list[float]]
    trace: list[list[float]]
    gradients: Gradients = field(default_factory=lambda: Gradients([], {}, {}))

    def __post_init__(self) -> None:
        """Leave no NaN, neither of a method that was recorded nor of a run that was kept with it."""
        told = {task: [] if any(map(math.isnan, values)) else values for task, values in self.weights.items()}
        object.__setattr__(self, "weights", told)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        plan: what was asked for.
        epochs: figures after each epoch; fewer than planned when the run failed.
        curves: losses and weights over steps.
        seconds_per_step: median.
        failure: why the run ended early (a loss that was not finite, say), else empty.
        answers: what the experiment keeps of the network of the chosen epoch, as JSON can hold it.
        samples: of the same network by task, the figure of each test sample, whose mean is the figure; empty where the
            experiment does not give it.
    """

    plan: Plan
    epochs: list[Epoch]
    curves: Curves
    seconds_per_step: float
    failure: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    samples: dict[str, list[float]] = field(default_factory=dict)

    def scored(self, score: Score) -> Run:
        """The same run with its epochs scored anew."""
        return replace(self, epochs=[replace(epoch, score=score(epoch.validation)) for epoch in self.epochs])

    @property
    def best_epoch(self) -> int:
        """The epoch that validation chooses, counted from 0; of equal ones the first."""
        scores = [epoch.score for epoch in self.epochs]
        return scores.index(max(scores))

    @property
    def best(self) -> Epoch | None:
        """The chosen epoch's figures; None when the run failed, since a method that diverges has none to show."""
        return None if self.failure or not self.epochs else self.epochs[self.best_epoch]


class RunFolder:
    """Keeps finished runs as one JSON file each, so that an interrupted comparison goes on where it stood.

    Args:
        folder: made when missing.
        fingerprint: identifies what a run depends on; a run that was made under another one is made anew.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        folder.mkdir(parents=True, exist_ok=True)

    def _fingerprint(self, plan: Plan) -> str:
        """With the file of a method of the user's own."""
        source = source_of(plan.method)
        return self.fingerprint + (f"-{hashlib.sha256(source.encode()).hexdigest()[:8]}" if source else "")

    def load(self, plan: Plan) -> Run | None:
        """The plan's run, or None when it is still to be made."""
        try:
            content = json.loads((self.folder / plan.file_name).read_text(encoding="utf-8"))
            if content.pop("fingerprint") != self._fingerprint(plan):
                return None
            content["plan"] = Plan(**content["plan"])
            if content["plan"] != plan:
                return None
            content["epochs"] = [Epoch(**epoch) for epoch in content["epochs"]]
            gradients = Gradients(**content["curves"].pop("gradients", {"steps": [], "norms": {}, "cosines": {}}))
            content["curves"] = Curves(**content["curves"], gradients=gradients)
            return Run(**content)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # half a file, or one of an older form: as good as none
            return None

    def save(self, run: Run) -> None:
        """Keep a run; the file appears complete or not at all."""
        path = self.folder / run.plan.file_name
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"fingerprint": self._fingerprint(run.plan)} | asdict(run)), encoding="utf-8")
        partial.replace(path)
