"""All runs of a table, each in a file of its own, so that an interrupted job goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from mien.comparison import SINGLE, Plan, Run, train
from mien.comparison.comparison import TUNING_SEEDS
from mien.comparison.experiments.face_tasks import Cut
from mien.comparison.records import RunFolder
from mien.errors import DataError, RecipeError
from mien.evaluation import Quirk
from mien.networks import BACKBONES, RANDOM
from mien.reproduction.experiment import FoldExperiment
from mien.reproduction.folds import Fold, make_folds, whole_set
from mien.reproduction.material import Material
from mien.reproduction.setup import Setup
from mien.reproduction.table import PRETRAINED, ROWS, SINGLE_TASK, Row, Table
from mien.reproduction.trials import Trial

FORM = 2
"""Counts the ways in which runs were made; those of another way are made anew."""

_METHOD_OF_THE_PAPER = "dynamic"


class JobObserver(Protocol):
    """Who wants to see the job go on."""

    def start(self, runs: int) -> None:
        """So many runs are to be made or were made before."""

    def made(self, fold: Fold, plan: Plan, run: Run, *, before: bool) -> None:
        """A run is there; ``before`` says that it was found."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a table is made from.

    Attributes:
        table: the table.
        setup: network and budget.
        material: what is trained and, unless there is another, tested on; None when nothing is trained.
        other: photos and official pairs of another data set.
        folds: numbers of the folds to make, from 0; empty for all.
        seeds: runs of each row in each fold.
        quirks: those of the official code that are switched on.
        only: names of the rows to make; empty for all.
    """

    table: Table
    setup: Setup
    material: Material | None
    other: tuple[Material, Trial] | None = None
    folds: tuple[int, ...] = ()
    seeds: int = 3
    quirks: tuple[Quirk, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def tested(self) -> Material:
        """What is tested on."""
        material = self.other[0] if self.other else self.material
        assert material is not None  # noqa: S101 -- one of the two is there
        return material

    @property
    def tasks(self) -> list[str]:
        """The tasks that the table scores."""
        return list(dict.fromkeys(task for kind in self.table.kinds for task in kind.tasks))

    @property
    def rows(self) -> list[Row]:
        """The table's rows."""
        if self.material is None:
            return [row for row in ROWS if row.method == PRETRAINED]
        rows = [row for row in ROWS if row.method != PRETRAINED or "identity" in self.tasks]
        return [row for row in rows if not self.only or row.name in self.only]

    def methods(self, row: Row) -> list[str]:
        """The methods of a row's runs: one a task where each task has a network of its own."""
        return [SINGLE + task for task in self.tasks] if row.method == SINGLE_TASK else [row.method]

    def all_folds(self, *, unordered: bool = False) -> list[Fold]:
        """The folds that are made.

        Raises:
            DataError: there are too few people, or there is no fold of a number that was asked for.
        """
        if self.material is None:
            return [Fold(0, 1, (), (), ())]
        if self.other is not None:
            return [whole_set(self.material.people, self.table.folds)]
        folds = make_folds(self.material.people, self.table.folds, unordered=unordered)
        if absent := [number for number in self.folds if number >= len(folds)]:
            people = len(self.material.people)
            raise DataError(f"{people} people are dealt to {len(folds)} folds, from 0; there is no fold {absent[0]}")
        return [fold for fold in folds if not self.folds or fold.number in self.folds]


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs of a job.

    Attributes:
        folds: the folds, in order.
        runs: by method, for each fold a list of runs, one a seed.
        unordered_folds: the folds of the quirk; empty without it.
        unordered: the runs of the paper's method on them.
        learning_rates: the rate chosen for each method.
    """

    folds: list[Fold]
    runs: dict[str, list[list[Run]]]
    unordered_folds: list[Fold]
    unordered: list[list[Run]]
    learning_rates: dict[str, float]


def make_runs(job: Job, folder: Path, observer: JobObserver) -> Runs:
    """Make the runs of a table, or load those that were made.

    Each method's learning rate is chosen by the validation people of the first fold, in runs of seeds of their own;
    then seed by seed all folds are made, so that an early end leaves whole tables.

    Args:
        job: what to make.
        folder: keeps the runs; tables of the same data share them.
        observer: sees the progress.

    Raises:
        MienError: something cannot be had.
    """
    folds = job.all_folds()
    unordered = job.all_folds(unordered=True) if _wants_unordered(job) else []
    methods = [method for row in job.rows for method in job.methods(row)]
    trained = [method for method in methods if method != PRETRAINED]
    if not methods:
        raise RecipeError(f"table {job.table.name} has no row {', '.join(job.only)}; leave it out")
    rates = job.setup.learning_rates
    tuning = len(trained) * len(rates) * len(TUNING_SEEDS) if len(rates) > 1 else 0
    extra = len(unordered) * job.seeds
    observer.start(tuning + len(folds) * (len(trained) * job.seeds + len(methods) - len(trained)) + extra)
    bench = _Bench(job, folder, observer)
    chosen = {method: bench.choose_rate(method) for method in trained}
    runs: dict[str, list[list[Run]]] = {method: [[] for _ in folds] for method in methods}
    shuffled: list[list[Run]] = [[] for _ in unordered]
    for seed in range(job.seeds):
        for k, fold in enumerate(folds):
            for method in trained:
                runs[method][k].append(bench.run(fold, Plan(method, chosen[method], seed)))
            if PRETRAINED in methods and seed == 0:
                runs[PRETRAINED][k].append(bench.run(fold, Plan(PRETRAINED, 0.0, 0)))
        for k, fold in enumerate(unordered):
            plan = Plan(_METHOD_OF_THE_PAPER, chosen[_METHOD_OF_THE_PAPER], seed)
            shuffled[k].append(bench.run(fold, plan, "unordered-"))
    return Runs(folds, runs, unordered, shuffled, chosen)


def _wants_unordered(job: Job) -> bool:
    made = any(row.method == _METHOD_OF_THE_PAPER for row in job.rows)
    return made and Quirk.UNORDERED_FOLDS in job.quirks and job.material is not None and job.other is None


class _Bench:
    """Loads or makes runs; an experiment is prepared when a run of its fold is missing."""

    def __init__(self, job: Job, folder: Path, observer: JobObserver) -> None:
        self._job = job
        self._folder = folder
        self._observer = observer
        self._weights = _digest_of_file(job.setup.cut)
        self._ready: FoldExperiment | None = None

    def run(self, fold: Fold, plan: Plan, prefix: str = "") -> Run:
        folder = RunFolder(self._folder / f"{prefix}fold-{fold.number:02d}", self._fingerprint(fold))
        found = folder.load(plan)
        run = found or self._make(fold, plan)
        if found is None:
            folder.save(run)
        self._observer.made(fold, plan, run, before=found is not None)
        return run

    def choose_rate(self, method: str) -> float:
        """The learning rate whose best epochs have the best validation scores in the first fold."""
        rates = self._job.setup.learning_rates
        if len(rates) == 1:
            return rates[0]
        first = replace(self._job, folds=()).all_folds()[0]
        made = {rate: [self.run(first, Plan(method, rate, seed)) for seed in TUNING_SEEDS] for rate in rates}
        return max(rates, key=lambda rate: sum(run.best.score if run.best else float("-inf") for run in made[rate]))

    def _make(self, fold: Fold, plan: Plan) -> Run:
        experiment = self._experiment(fold)
        return experiment.untrained() if plan.method == PRETRAINED else train(plan, experiment)

    def _experiment(self, fold: Fold) -> FoldExperiment:
        job = self._job
        if self._ready is None or self._ready.fold != fold:
            self._ready = FoldExperiment(
                epochs=job.setup.epochs,
                learning_rates=job.setup.learning_rates,
                setup=job.setup,
                material=job.material,
                fold=fold,
                other=job.other,
            )
            self._ready.prepare()
        return self._ready

    def _fingerprint(self, fold: Fold) -> str:
        job = self._job
        digests = [item.digest for item in (job.material, job.other[0] if job.other else None) if item]
        setup = {key: value for key, value in asdict(job.setup).items() if key != "learning_rates"}
        source = asdict(job.material.source) if job.material else {}
        parts = [FORM, setup, source, digests, fold.test, fold.validation, fold.train, *self._weights]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _digest_of_file(cut: Cut) -> list[str]:
    """The SHA-256 of a cut's weights where they are a file, whose path says nothing of them; else nothing."""
    published = BACKBONES[cut.backbone].published
    if cut.weights == RANDOM or cut.weights in published or not Path(cut.weights).is_file():
        return []
    with Path(cut.weights).open("rb") as file:
        return [hashlib.file_digest(file, "sha256").hexdigest()]
