"""Jobs whose runs are written by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mien.comparison import Curves, Epoch, Plan, Run
from mien.reproduction import Kind, Table, find_table
from mien.reproduction.experiment import trial_of
from mien.reproduction.job import Job, Runs
from mien.reproduction.material import Material
from mien.reproduction.setup import Setup
from mien.reproduction.trials import ExpressionTrial

SMALL = Setup(epochs=2, steps=2, batch_size=8, learning_rates=(1e-5,))
"""Runs of a fraction of a second."""

KINDS = (Kind.EXPRESSION, Kind.PAIRS, Kind.AUTHENTICATION)


def made_job(material: Material, **changes: object) -> Job:
    """All protocols, on the rows of equal and dynamic weights, with two seeds."""
    oulu = find_table("oulu-expression")
    table = Table("made", "A made table", KINDS, oulu.data)
    return replace(Job(table, SMALL, material, seeds=2, only=("static, equal", "dynamic")), **changes)


def made_runs(job: Job, wrong: dict[str, float] | None = None) -> Runs:
    """Runs that answer everything rightly, but for the shares ``wrong`` of a method's photos and pairs."""
    folds = job.all_folds()
    methods = [method for row in job.rows for method in job.methods(row)]
    runs = {
        method: [
            [
                _run(job, trial_of(job.material, fold.test), method, seed, (wrong or {}).get(method, 0.0))
                for seed in (0, 1)
            ]
            for fold in folds
        ]
        for method in methods
    }
    return Runs(folds, runs, [], [], dict.fromkeys(methods, 1e-5))


def _run(job: Job, trial: ExpressionTrial, method: str, seed: int, wrong: float) -> Run:
    rng = np.random.default_rng([seed, len(trial.labels)])
    said = np.maximum(trial.labels, 0)
    flipped = rng.random(len(said)) < wrong
    said = np.where(flipped, (said + 1) % len(job.material.classes), said)
    scores = np.eye(len(job.material.classes))[said] * 0.9 + 0.1 / len(job.material.classes)
    distances = np.where(trial.same, 0.3, 0.9) + rng.normal(0, 0.01, len(trial.same))
    crossed = rng.random(len(distances)) < wrong
    distances = np.where(crossed, 1.2 - distances, distances)
    answers = {"scores": scores.tolist(), "distances": distances.tolist(), "threshold": 0.6}
    epochs = [
        Epoch({"identity": 0.5, "expression": 0.5}, {"identity": value, "expression": value}) for value in (0.7, 0.75)
    ]
    return Run(Plan(method, 1e-5, seed), epochs, made_curves(), 0.01, "", answers)


def made_curves() -> Curves:
    """Identity is hard, then expression; the weights rest at their bounds and follow two steps later."""
    low, high = 0.1956, 0.8044
    return Curves(
        steps=[1, 2, 3, 4, 5, 6],
        losses={"identity": [2.0, 2.0, 1.0, 1.0, 1.0, 1.0], "expression": [1.5] * 6},
        weights={"identity": [high] * 4 + [low] * 2, "expression": [low] * 4 + [high] * 2},
        trace=[[]] * 6,
    )
