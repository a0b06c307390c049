"""A fair comparison: equal budgets, each method's learning rate chosen in the same way, the same seeds for all."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Protocol

from mien.comparison.experiment import Experiment, Figure
from mien.comparison.records import SINGLE, Plan, Run, RunFolder
from mien.comparison.search import Candidate, Choice, favoring, search
from mien.comparison.training import train
from mien.errors import RecipeError

TUNING_SEEDS = (1_000_003, 1_000_004, 1_000_005)
"""Learning rates are chosen in runs of these seeds, which are not among those that are compared. One seed was too few:
fixed weights and a unit that rests at the same weights were given different learning rates."""

TUNED = "fixed"
"""The method whose weights are chosen as learning rates are, where none are given with it."""

_OTHER = object()

FORM = 1
"""Counts the ways in which runs were made; results of another one are not mixed in."""


class Observer(Protocol):
    """Who wants to see the comparison go on."""

    def start(self, runs: int) -> None:
        """So many runs are still to be made, or were made before."""

    def more(self, runs: int) -> None:
        """So many more, as a grid was widened."""

    def made(self, plan: Plan, run: Run) -> None:
        """A run was made."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of a comparison.

    Attributes:
        experiment: its name.
        settings: its fields.
        tasks: each task's name and what it is judged by.
        fingerprint: identifies experiment, settings and data.
        seeds: how many seeds each method has.
        random: whether the seeds are random draws, and not given starting points.
        choices: what was chosen for each method, single tasks included, and what was tried for that.
        runs: by method, one run a seed.
        tuning: by method, the runs that were made for the choice.
        contrasts: pairs of methods that the comparison was made for, beside each method against equal weighting.
    """

    experiment: str
    settings: dict[str, object]
    tasks: dict[str, Figure]
    fingerprint: str
    seeds: int
    random: bool
    choices: dict[str, Choice]
    runs: dict[str, list[Run]]
    tuning: dict[str, list[Run]] = field(default_factory=dict)
    contrasts: tuple[tuple[str, str], ...] = ()

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
    settings = {
        key: value for key, value in settings_of(experiment).items() if experiment.neutral.get(key, _OTHER) != value
    }
    content = json.dumps([FORM, experiment.name, settings, *more], sort_keys=True)
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


def compare(
    experiment: Experiment,
    methods: Sequence[str],
    seeds: int,
    folder: Path,
    observer: Observer,
    contrasts: Sequence[tuple[str, str]] = (),
) -> Comparison:
    """Make, or go on with, a comparison.

    Args:
        experiment: what to compare on; prepared here.
        methods: names from `mien.weighting.METHODS`, or ``path/to/file.py:Class``; the order is kept. ``fixed`` has its
            weights chosen on validation data, as learning rates are.
        seeds: how many runs each method makes, apart from those that choose its learning rate; no more than the
            experiment has starting points, where its seeds are such.
        folder: gets a file for each run; finished runs are not repeated.
        observer: sees the progress.
        contrasts: pairs of the methods to be compared with each other, the first minus the second.

    Raises:
        RecipeError: the experiment has no epochs, or no learning rates above 0; or a contrast names no method.
        MienError: the experiment's data cannot be had.
    """
    _check(experiment, methods, contrasts)
    seeds = min(seeds, experiment.starts or seeds)
    singles = [SINGLE + task for task in experiment.tasks] if experiment.single_tasks else []
    entrants = [*singles, *methods]
    observer.start(sum(_tuning_runs(experiment, entrant) + seeds for entrant in entrants))
    experiment.prepare()
    identity = fingerprint(experiment)
    lab = _Lab(experiment, RunFolder(folder, identity), observer)
    choices = {entrant: lab.choose(entrant) for entrant in entrants}
    runs: dict[str, list[Run]] = {entrant: [] for entrant in entrants}
    for seed in range(seeds):  # seed by seed, so that an early end leaves whole comparisons
        for entrant in entrants:
            best = choices[entrant].best
            runs[entrant].append(lab.run(Plan(best.method, best.rate, seed)))
    return Comparison(
        experiment=experiment.name,
        settings=settings_of(experiment),
        tasks=experiment.figures,
        fingerprint=identity,
        seeds=seeds,
        random=not experiment.starts,
        choices=choices,
        runs=runs,
        tuning=lab.tuning,
        contrasts=tuple(contrasts),
    )


def _check(experiment: Experiment, methods: Sequence[str], contrasts: Sequence[tuple[str, str]]) -> None:
    if experiment.epochs < 1:
        raise RecipeError(f"epochs is {experiment.epochs}; give at least 1")
    if not experiment.learning_rates or not all(0 < rate < math.inf for rate in experiment.learning_rates):
        raise RecipeError(f"learning_rates is {list(experiment.learning_rates)}; give at least one, each above 0")
    if absent := [method for pair in contrasts for method in pair if method not in methods]:
        raise RecipeError(f"a contrast names {absent[0]}, which is not among the methods {', '.join(methods)}")


def _variants(experiment: Experiment, entrant: str, widened: int = 0) -> list[str]:
    """What an entrant may be: one method, or fixed weights of different ratios."""
    return favoring(len(experiment.tasks), widened) if entrant == TUNED else [entrant]


def _tuning_runs(experiment: Experiment, entrant: str) -> int:
    candidates = len(experiment.learning_rates) * len(_variants(experiment, entrant))
    return candidates * len(TUNING_SEEDS) if candidates > 1 or entrant.startswith(SINGLE) else 0


class _Lab:
    """Makes runs or loads them, and chooses what is to be chosen.

    Attributes:
        tuning: the runs made for the choices, by entrant.
    """

    def __init__(self, experiment: Experiment, folder: RunFolder, observer: Observer) -> None:
        self.tuning: dict[str, list[Run]] = {}
        self._experiment = experiment
        self._folder = folder
        self._observer = observer
        self._reached: dict[str, float] = {}

    @property
    def _alone(self) -> dict[str, float]:
        """What the tasks alone reach on validation data, once all of them have been looked at."""
        return self._reached if len(self._reached) == len(self._experiment.tasks) else {}

    def run(self, plan: Plan) -> Run:
        """Make a run, or load it; its epochs are scored by what is known of the tasks alone."""
        run = self._folder.load(plan)
        if run is None:
            run = train(plan, self._experiment, self._alone)
            self._check(run)
            self._folder.save(run)
        self._observer.made(plan, run)
        return run.scored(lambda figures: self._experiment.score(figures, self._alone))

    def _check(self, run: Run) -> None:
        method = run.plan.method
        tasks = [method.removeprefix(SINGLE)] if method.startswith(SINGLE) else self._experiment.tasks
        for epoch in run.epochs:
            if missing := [task for task in tasks if task not in epoch.validation or task not in epoch.test]:
                raise RecipeError(f"the experiment's `evaluate` gave no figure for {missing[0]}; it must for each task")

    def choose(self, entrant: str) -> Choice:
        """The candidate with the best validation scores at the best epochs; the first of the grid if all fail.

        The tasks alone come first: what they reach is what later choices are measured by.
        """
        experiment = self._experiment
        made: dict[Candidate, list[Run]] = {}
        planned = _tuning_runs(experiment, entrant)

        def score(candidate: Candidate) -> float:
            if len(made) * len(TUNING_SEEDS) >= planned:
                self._observer.more(len(TUNING_SEEDS))
            made[candidate] = [self.run(Plan(candidate.method, candidate.rate, seed)) for seed in TUNING_SEEDS]
            return sum(run.best.score if run.best else float("-inf") for run in made[candidate])

        choice = search(lambda widened: _variants(experiment, entrant, widened), experiment.learning_rates, score)
        if entrant.startswith(SINGLE):
            if not made:
                score(choice.best)
            task = entrant.removeprefix(SINGLE)
            if found := [run.best.validation[task] for run in made[choice.best] if run.best]:
                self._reached[task] = statistics.fmean(found)
        self.tuning[entrant] = [run for runs in made.values() for run in runs]
        return choice
