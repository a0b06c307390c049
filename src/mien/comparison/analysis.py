"""What the runs of a comparison say of each method."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mien.comparison.comparison import Comparison
from mien.comparison.contrasts import Contrast, contrast_all
from mien.comparison.estimates import Estimate, estimate, range_of
from mien.comparison.records import SINGLE

BASELINE = "equal"
"""What the methods are compared with."""


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """How a method did.

    Attributes:
        method: its name.
        variant: the fixed weights that were chosen for it; empty for other methods.
        learning_rate: the one chosen for it.
        failed: seeds whose run ended early; they are missing from everything else.
        figures: each task's test figure at the epoch that validation chose; empty when all runs failed.
        gain: mean over the tasks of the relative gain over training the task alone, in seed-wise pairs; None without
            single tasks, and for them.
        rank: mean over tasks and seeds of the method's rank among the methods, 1 is best; None for single tasks.
        step_time: median time of a step, divided by the baseline's of the same seed; None without it.
        contrasts: by task against the baseline; empty for the baseline, for single tasks and where the seeds are given
            starting points.
    """

    method: str
    variant: str
    learning_rate: float
    failed: int
    figures: dict[str, Estimate]
    gain: Estimate | None
    rank: float | None
    step_time: float | None
    contrasts: dict[str, Contrast]

    @property
    def differences(self) -> dict[str, Estimate]:
        """Each task's figure minus the baseline's, in seed-wise pairs, with simultaneous intervals."""
        return {task: contrast.difference for task, contrast in self.contrasts.items()}


def summarize(comparison: Comparison) -> list[MethodSummary]:
    """Summarize every method, single tasks first, in the order of the comparison."""
    ranks = _ranks(comparison)
    rivals = [method for method in comparison.methods if method != BASELINE]
    known = comparison.random and BASELINE in comparison.methods
    contrasts = contrast_all(comparison, [(method, BASELINE) for method in rivals]) if known else []
    return [
        _summarize(comparison, entrant, ranks, {each.task: each for each in contrasts if each.first == entrant})
        for entrant in comparison.runs
    ]


def _summarize(
    comparison: Comparison, entrant: str, ranks: dict[str, float], contrasts: dict[str, Contrast]
) -> MethodSummary:
    runs = comparison.runs[entrant]
    tasks = [entrant.removeprefix(SINGLE)] if entrant.startswith(SINGLE) else list(comparison.tasks)
    values = {task: [run.best.test[task] for run in runs if run.best] for task in tasks}
    ratios = [
        run.seconds_per_step / base.seconds_per_step
        for run, base in zip(runs, comparison.runs.get(BASELINE, []), strict=False)
        if run.seconds_per_step and base.seconds_per_step
    ]
    chosen = comparison.choices[entrant].best
    return MethodSummary(
        method=entrant,
        variant=chosen.method.partition(" ")[2] if chosen.method != entrant else "",
        learning_rate=chosen.rate,
        failed=sum(1 for run in runs if not run.best),
        figures={
            task: estimate(found) if comparison.random else range_of(found) for task, found in values.items() if found
        },
        gain=mean_gain(comparison, entrant),
        rank=ranks.get(entrant),
        step_time=statistics.median(ratios) if ratios else None,
        contrasts=contrasts,
    )


def gains(comparison: Comparison, entrant: str) -> list[float]:
    """Of each seed the mean over tasks of (method - single) / abs(single), positive where the method is better.

    NaN where one of them failed. Empty without single tasks, and for these.
    """
    if entrant not in comparison.methods or len(comparison.methods) == len(comparison.runs):
        return []
    found: list[list[float]] = []
    for task, figure in comparison.tasks.items():
        pairs = zip(comparison.runs[entrant], comparison.runs[SINGLE + task], strict=True)
        found.append(
            [
                figure.sign * (run.best.test[task] - alone.best.test[task]) / abs(alone.best.test[task])
                if run.best and alone.best and alone.best.test[task]
                else float("nan")
                for run, alone in pairs
            ]
        )
    means: list[float] = np.mean(found, axis=0).tolist()
    return means


def mean_gain(comparison: Comparison, entrant: str) -> Estimate | None:
    """The mean of `gains` over the seeds; None where there is none."""
    whole = [value for value in gains(comparison, entrant) if value == value]
    return estimate(whole) if whole else None


def _ranks(comparison: Comparison) -> dict[str, float]:
    """Mean rank of each method over tasks and seeds; equal figures share a rank, failed runs are last."""
    methods = comparison.methods
    rows: list[NDArray[np.float64]] = []
    for task, figure in comparison.tasks.items():
        for seed in range(comparison.seeds):
            bests = [comparison.runs[method][seed].best for method in methods]
            rows.append(rankdata([-figure.sign * best.test[task] if best else float("inf") for best in bests]))
    means = np.mean(rows, axis=0) if rows else np.zeros(len(methods))
    return dict(zip(methods, means.tolist(), strict=True))
