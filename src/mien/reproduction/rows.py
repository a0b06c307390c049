"""The answers of a row's networks, fold by fold and seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.comparison import Run
from mien.reproduction.job import Job, Runs
from mien.reproduction.table import PRETRAINED, Row

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RowAnswers:
    """What a row's networks answered.

    Attributes:
        row: the row.
        answers: for each fold, for each seed that finished in all folds, what `FoldExperiment.answers` kept.
        runs: the runs behind each of them; two where each task has a network of its own.
        seeds: the seeds that finished in all folds.
        failed: how many others there are.
    """

    row: Row
    answers: list[list[dict[str, Any]]]
    runs: list[list[list[Run]]]
    seeds: list[int]
    failed: int

    def array(self, fold: int, key: str) -> Floats:
        """``(S, ...)`` answers of a fold."""
        return np.array([answer[key] for answer in self.answers[fold]], np.float64)

    def best_on_test(self, task: str) -> Floats:
        """``(S, F)`` the best test figure of any epoch, each by itself: the official code's choice."""
        return np.array(
            [
                [max(epoch.test[task] for run in made for epoch in run.epochs if task in epoch.test) for made in seeds]
                for seeds in self.runs
            ]
        ).T


def collect(job: Job, runs: Runs, row: Row) -> RowAnswers | None:
    """A row's answers; None when no seed finished in all folds."""
    methods = [runs.runs[method] for method in job.methods(row)]
    seeds = 1 if row.method == PRETRAINED else job.seeds
    made = [[[method[k][seed] for method in methods] for seed in range(seeds)] for k in range(len(runs.folds))]
    return _finished(row, made, seeds)


def collect_unordered(runs: Runs, row: Row) -> RowAnswers | None:
    """The answers of the paper's method on unordered folds."""
    made = [[[run] for run in fold] for fold in runs.unordered]
    return _finished(row, made, len(made[0]) if made else 0)


def _finished(row: Row, made: list[list[list[Run]]], seeds: int) -> RowAnswers | None:
    whole = [seed for seed in range(seeds) if all(not run.failure for fold in made for run in fold[seed])]
    if not whole:
        return None
    kept = [[fold[seed] for seed in whole] for fold in made]
    answers = [[{key: v for run in each for key, v in run.answers.items()} for each in fold] for fold in kept]
    return RowAnswers(row, answers, kept, whole, seeds - len(whole))
