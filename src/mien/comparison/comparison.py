"""A fair comparison: equal budgets, each method's learning rate chosen on the same grid, the same seeds for all."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

from mien.comparison.experiment import Experiment
from mien.comparison.records import SINGLE, Plan, Run, RunFolder
from mien.comparison.training import train
from mien.errors import RecipeError

TUNING_SEEDS = (1_000_003, 1_000_004, 1_000_005)
"""Learning rates are chosen in runs of these seeds, which are not among those that are compared. One seed was too few:
fixed weights and a unit that rests at the same weights were given different learning rates."""

FORM = 1
"""Counts the ways in which runs were made; results of another one are not mixed in."""


class Observer(Protocol):
    """Who wants to see the comparison go on."""

    def start(self, runs: int) -> None:
        """So many runs are still to be made at most."""

    def made(self, plan: Plan, run: Run) -> None:
        """A run was made."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of a comparison.

    Attributes:
        experiment: its name.
        settings: its fields.
        tasks: each task's name and the name of its figure.
        unit: of the figures.
        fingerprint: identifies experiment, settings and data.
        seeds: how many seeds each method has.
        random: whether the seeds are random draws, and not given starting points.
        learning_rates: the one chosen for each method, single tasks included.
        runs: by method, one run a seed.
    """

    experiment: str
    settings: dict[str, object]
    tasks: dict[str, str]
    unit: str
    fingerprint: str
    seeds: int
    random: bool
    learning_rates: dict[str, float]
    runs: dict[str, list[Run]]

    @property
    def methods(self) -> list[str]:
        """The compared methods, without the single tasks."""
        return [method for method in self.runs if not method.startswith(SINGLE)]


def settings_of(experiment: Experiment) -> dict[str, object]:
    """An experiment's settings, as JSON can hold them; a path by its name alone, wherever it lies.

    What lies there is told by `Experiment.data_digest`.
    """
    return {
        item.name: value.name if isinstance(value := getattr(experiment, item.name), Path) else value
        for item in fields(experiment)
        if item.init
    }


def fingerprint(experiment: Experiment) -> str:
    """The first 12 digits of the SHA-256 of what runs depend on: name, settings, data, and the file of a user's own.

    Of an experiment that is prepared.
    """
    more = [text for text in (experiment.data_digest(), _own_source(experiment)) if text]
    content = json.dumps([FORM, experiment.name, settings_of(experiment), *more], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _own_source(experiment: Experiment) -> str:
    """The file that defines an experiment of a user's own, as text; mien's own have `FORM`."""
    kind = type(experiment)
    if kind.__module__.partition(".")[0] == "mien":
        return ""
    try:
        return Path(inspect.getfile(kind)).read_text(encoding="utf-8")
    except (OSError, TypeError):  # defined at a prompt
        return ""


def compare(experiment: Experiment, methods: Sequence[str], seeds: int, folder: Path, observer: Observer) -> Comparison:
    """Make, or go on with, a comparison.

    Args:
        experiment: what to compare on; prepared here.
        methods: names from `mien.weighting.METHODS`; the order is kept.
        seeds: how many runs each method makes, apart from those that choose its learning rate; no more than the
            experiment has starting points, where its seeds are such.
        folder: gets a file for each run; finished runs are not repeated.
        observer: sees the progress.

    Raises:
        RecipeError: the experiment has no epochs, or no learning rates above 0.
        MienError: the experiment's data cannot be had.
    """
    if experiment.epochs < 1:
        raise RecipeError(f"epochs is {experiment.epochs}; give at least 1")
    if not experiment.learning_rates or not all(0 < rate < math.inf for rate in experiment.learning_rates):
        raise RecipeError(f"learning_rates is {list(experiment.learning_rates)}; give at least one, each above 0")
    seeds = min(seeds, experiment.starts or seeds)
    singles = [SINGLE + task for task in experiment.tasks] if experiment.single_tasks else []
    entrants = [*singles, *methods]
    observer.start(len(entrants) * (_tuning_runs(experiment) + seeds))
    experiment.prepare()
    identity = fingerprint(experiment)
    lab = _Lab(experiment, RunFolder(folder, identity), observer)
    rates = {entrant: lab.choose_rate(entrant) for entrant in entrants}
    runs: dict[str, list[Run]] = {entrant: [] for entrant in entrants}
    for seed in range(seeds):  # seed by seed, so that an early end leaves whole comparisons
        for entrant in entrants:
            runs[entrant].append(lab.run(Plan(entrant, rates[entrant], seed)))
    return Comparison(
        experiment=experiment.name,
        settings=settings_of(experiment),
        tasks=dict(experiment.tasks),
        unit=experiment.unit,
        fingerprint=identity,
        seeds=seeds,
        random=not experiment.starts,
        learning_rates=rates,
        runs=runs,
    )


def _tuning_runs(experiment: Experiment) -> int:
    rates = len(experiment.learning_rates)
    return rates * len(TUNING_SEEDS) if rates > 1 else 0


@dataclass(frozen=True, slots=True)
class _Lab:
    experiment: Experiment
    folder: RunFolder
    observer: Observer

    def run(self, plan: Plan) -> Run:
        run = self.folder.load(plan)
        if run is None:
            run = train(plan, self.experiment)
            self._check(run)
            self.folder.save(run)
        self.observer.made(plan, run)
        return run

    def _check(self, run: Run) -> None:
        method = run.plan.method
        tasks = [method.removeprefix(SINGLE)] if method.startswith(SINGLE) else self.experiment.tasks
        for epoch in run.epochs:
            if missing := [task for task in tasks if task not in epoch.validation or task not in epoch.test]:
                raise RecipeError(f"the experiment's `evaluate` gave no figure for {missing[0]}; it must for each task")

    def choose_rate(self, entrant: str) -> float:
        """The learning rate with the best validation scores at the best epochs; the first of the grid if all fail."""
        rates = self.experiment.learning_rates
        if len(rates) == 1:
            return rates[0]
        scores = {rate: sum(_score(self.run(Plan(entrant, rate, seed))) for seed in TUNING_SEEDS) for rate in rates}
        return max(scores, key=lambda rate: scores[rate])


def _score(run: Run) -> float:
    return run.best.score if run.best else float("-inf")
