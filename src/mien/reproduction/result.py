"""A table's results: every row by every protocol, differences, quirks, weight dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mien.comparison import Run
from mien.evaluation import Quirk
from mien.reproduction import score_authentication, score_expression, score_official, score_pairs
from mien.reproduction.dynamics import Dynamics, describe, mean_dynamics
from mien.reproduction.experiment import trial_of
from mien.reproduction.figures import Figure, difference
from mien.reproduction.job import Job, Runs
from mien.reproduction.rows import RowAnswers, collect, collect_unordered
from mien.reproduction.scored import Scored
from mien.reproduction.table import Kind, Row
from mien.reproduction.trials import ExpressionTrial, PairTrial

COMPARED = (
    ("dynamic", "static, equal"),
    ("dynamic", "naive dynamic"),
    ("dynamic", "single task"),
    ("progress", "dynamic"),
    ("progress", "static, equal"),
)
"""Rows whose difference is told."""

MAIN = "accuracy"
"""The metric that published tables have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row's main figure minus another's, item by item, by the seeds that finished in both."""

    row: str
    other: str
    figure: Figure


@dataclass(frozen=True, slots=True, eq=False)
class KindResult:
    """All rows by one protocol.

    Attributes:
        kind: the protocol.
        metrics: what each figure is.
        rows: by the row's name; rows that the protocol cannot score are absent.
        differences: of the main figure.
        pairs: how many pairs of each kind were tested; empty for expressions.
    """

    kind: Kind
    metrics: dict[str, str]
    rows: dict[str, Scored]
    differences: list[Difference]
    pairs: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class TableResult:
    """A table.

    Attributes:
        job: what was asked for.
        runs: all runs.
        kinds: the results by protocol.
        failed: by the row's name, seeds that did not finish; rows without any are absent.
        dynamics: of the rows with weights of two tasks, means over folds and seeds.
    """

    job: Job
    runs: Runs
    kinds: list[KindResult]
    failed: dict[str, int]
    dynamics: dict[str, Dynamics]

    def example(self) -> dict[str, Run]:
        """The first seed's run of the first fold of each row that trains both tasks."""
        found = {row.name: self.runs.runs[row.method][0][0] for row in self.job.rows if row.method in self.runs.runs}
        return {name: run for name, run in found.items() if len(run.curves.weights) > 1}


def evaluate_table(job: Job, runs: Runs) -> TableResult:
    """Score all rows."""
    answers = {row.name: found for row in job.rows if (found := collect(job, runs, row))}
    return TableResult(
        job=job,
        runs=runs,
        kinds=[_score(job, runs, kind, answers) for kind in job.table.kinds],
        failed={name: found.failed for name, found in answers.items() if found.failed}
        | {row.name: job.seeds for row in job.rows if row.name not in answers},
        dynamics=_dynamics(job.rows, answers),
    )


def _score(job: Job, runs: Runs, kind: Kind, answers: dict[str, RowAnswers]) -> KindResult:
    usable = {name: row for name, row in answers.items() if _can(row, kind)}
    if kind is Kind.OFFICIAL_PAIRS:
        assert job.other is not None  # noqa: S101 -- such tables have one
        trial = job.other[1]
        assert isinstance(trial, PairTrial)  # noqa: S101
        scored = {name: score_official.score_official(row, trial, job.quirks) for name, row in usable.items()}
        counts = {"genuine": int(trial.same.sum()), "impostor": int((~trial.same).sum())}
        return _result(kind, score_official.METRICS, scored, usable, counts)
    trials = _trials(job, unordered=False)
    scored = {name: _one(job, kind, row, trials) for name, row in usable.items()}
    paper = next((row for row in job.rows if row.method == "dynamic"), None)
    if runs.unordered and paper and paper.name in scored and (shuffled := collect_unordered(runs, paper)):
        figures = _one(job, kind, shuffled, _trials(job, unordered=True)).figures
        if main := figures[MAIN]:
            scored[paper.name].quirks[Quirk.UNORDERED_FOLDS] = main
    counts = {} if kind is Kind.EXPRESSION else score_pairs.pair_counts(trials)
    return _result(kind, _METRICS[kind], scored, usable, counts)


_METRICS = {
    Kind.EXPRESSION: score_expression.METRICS,
    Kind.PAIRS: score_pairs.METRICS,
    Kind.AUTHENTICATION: score_authentication.METRICS,
}


def _can(row: RowAnswers, kind: Kind) -> bool:
    needed = {"identity": "distances", "expression": "scores"}
    return all(needed[task] in row.answers[0][0] for task in kind.tasks)


def _trials(job: Job, *, unordered: bool) -> list[ExpressionTrial]:
    assert job.material is not None  # noqa: S101 -- such tables are trained
    return [trial_of(job.material, fold.test) for fold in job.all_folds(unordered=unordered)]


def _one(job: Job, kind: Kind, row: RowAnswers, trials: Sequence[ExpressionTrial]) -> Scored:
    assert job.material is not None  # noqa: S101 -- such tables are trained
    classes = job.material.classes
    if kind is Kind.EXPRESSION:
        return score_expression.score_expression(row, trials, classes, job.quirks)
    if kind is Kind.PAIRS:
        return score_pairs.score_pairs(row, trials, job.quirks)
    return score_authentication.score_authentication(row, trials, classes, job.quirks)


def _result(
    kind: Kind, metrics: dict[str, str], rows: dict[str, Scored], answers: dict[str, RowAnswers], pairs: dict[str, int]
) -> KindResult:
    differences = []
    for one, other in COMPARED:
        if one in rows and other in rows:
            ours, theirs = answers[one].seeds, answers[other].seeds
            both = [seed for seed in ours if seed in theirs]
            figure = both and difference(
                [items.of_seeds([ours.index(seed) for seed in both]) for items in rows[one].items],
                [items.of_seeds([theirs.index(seed) for seed in both]) for items in rows[other].items],
            )
            if figure:
                differences.append(Difference(one, other, figure))
    return KindResult(kind, metrics, rows, differences, pairs)


def _dynamics(rows: Sequence[Row], answers: dict[str, RowAnswers]) -> dict[str, Dynamics]:
    found = {}
    for row in rows:
        if row.name not in answers or row.method in ("equal", "fixed 1:0.1"):
            continue
        runs = [run for fold in answers[row.name].runs for seed in fold for run in seed]
        if mean := mean_dynamics([each for run in runs if (each := describe(run.curves))]):
            found[row.name] = mean
    return found
