"""What the runs of a comparison say, and how surely."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t

from mien.comparison.comparison import Comparison
from mien.comparison.records import SINGLE, Run

BASELINE = "equal"
"""What the methods are compared with."""

LEVEL = 0.95
"""Of all intervals; those of differences hold for all comparisons together (Bonferroni)."""

LEAST_SEEDS = 10
"""With fewer, no difference is called real."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its interval (Student's t).

    Attributes:
        mean: over seeds.
        low: lower end of the interval; the mean itself with one seed; the lowest value where the seeds are given
            starting points.
        high: upper end, likewise.
        n: how many seeds.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval is of one sign, from `LEAST_SEEDS` seeds."""
        return self.n >= LEAST_SEEDS and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """How a method did.

    Attributes:
        method: its name.
        learning_rate: the one chosen for it.
        failed: seeds whose run ended early; they are missing from everything else.
        figures: each task's test figure at the epoch that validation chose; empty when all runs failed.
        gain: mean over the tasks of the relative gain over training the task alone, in seed-wise pairs; None without
            single tasks, and for them.
        rank: mean over tasks and seeds of the method's rank among the methods, 1 is best; None for single tasks.
        step_time: median time of a step, divided by the baseline's of the same seed; None without it.
        differences: each task's figure minus the baseline's, in seed-wise pairs, with simultaneous intervals; empty for
            the baseline, for single tasks and where the seeds are given starting points.
    """

    method: str
    learning_rate: float
    failed: int
    figures: dict[str, Estimate]
    gain: Estimate | None
    rank: float | None
    step_time: float | None
    differences: dict[str, Estimate]


def estimate(values: Sequence[float], comparisons: int = 1) -> Estimate:
    """Mean and Student interval of independent values, widened for so many simultaneous comparisons.

    >>> estimate([1.0, 2.0, 3.0])
    Estimate(mean=2.0, low=-0.4841..., high=4.4841..., n=3)
    """
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Estimate(mean, mean, mean, len(values))
    half = float(t.ppf(1 - (1 - LEVEL) / (2 * comparisons), len(values) - 1)) * statistics.stdev(values)
    half /= len(values) ** 0.5
    return Estimate(mean, mean - half, mean + half, len(values))


def _range(values: Sequence[float]) -> Estimate:
    return Estimate(statistics.fmean(values), min(values), max(values), len(values))


def summarize(comparison: Comparison) -> list[MethodSummary]:
    """Summarise every method, single tasks first, in the order of the comparison."""
    ranks = _ranks(comparison)
    rivals = [method for method in comparison.methods if method != BASELINE]
    comparisons = max(1, len(rivals) * len(comparison.tasks))
    return [_summarize(comparison, entrant, ranks, comparisons) for entrant in comparison.runs]


def _summarize(comparison: Comparison, entrant: str, ranks: dict[str, float], comparisons: int) -> MethodSummary:
    runs = comparison.runs[entrant]
    tasks = [entrant.removeprefix(SINGLE)] if entrant.startswith(SINGLE) else list(comparison.tasks)
    values = {task: [run.best.test[task] for run in runs if run.best] for task in tasks}
    baseline = comparison.runs.get(BASELINE, [])
    differences = {
        task: estimate(pairs, comparisons)
        for task in tasks
        if comparison.random
        and entrant in comparison.methods
        and entrant != BASELINE
        and (pairs := _paired(runs, baseline, task))
    }
    ratios = [
        run.seconds_per_step / base.seconds_per_step
        for run, base in zip(runs, baseline, strict=False)
        if run.seconds_per_step and base.seconds_per_step
    ]
    return MethodSummary(
        method=entrant,
        learning_rate=comparison.learning_rates[entrant],
        failed=sum(1 for run in runs if not run.best),
        figures={
            task: estimate(found) if comparison.random else _range(found) for task, found in values.items() if found
        },
        gain=_gain(comparison, entrant),
        rank=ranks.get(entrant),
        step_time=statistics.median(ratios) if ratios else None,
        differences=differences,
    )


def _paired(runs: Sequence[Run], others: Sequence[Run], task: str) -> list[float]:
    """Differences of the figures of the same seed, where neither run failed."""
    return [
        run.best.test[task] - other.best.test[task]
        for run, other in zip(runs, others, strict=False)
        if run.best and other.best
    ]


def _gain(comparison: Comparison, entrant: str) -> Estimate | None:
    """Mean over tasks of (method - single) / abs(single), seed by seed; figures may be negative, as minus an error."""
    if entrant not in comparison.methods or len(comparison.methods) == len(comparison.runs):
        return None
    gains: list[list[float]] = []
    for task in comparison.tasks:
        pairs = zip(comparison.runs[entrant], comparison.runs[SINGLE + task], strict=True)
        gains.append(
            [
                (run.best.test[task] - alone.best.test[task]) / abs(alone.best.test[task])
                if run.best and alone.best and alone.best.test[task]
                else float("nan")
                for run, alone in pairs
            ]
        )
    whole = [value for value in np.mean(gains, axis=0).tolist() if value == value]
    return estimate(whole) if whole else None


def _ranks(comparison: Comparison) -> dict[str, float]:
    """Mean rank of each method over tasks and seeds; equal figures share a rank, failed runs are last."""
    methods = comparison.methods
    rows: list[NDArray[np.float64]] = []
    for task in comparison.tasks:
        for seed in range(comparison.seeds):
            bests = [comparison.runs[method][seed].best for method in methods]
            rows.append(rankdata([-best.test[task] if best else float("inf") for best in bests]))
    means = np.mean(rows, axis=0) if rows else np.zeros(len(methods))
    return dict(zip(methods, means.tolist(), strict=True))


def conclude(comparison: Comparison, summaries: Sequence[MethodSummary]) -> str:
    """Say in plain words which differences from equal weighting are real, and which methods cannot be judged."""
    if not comparison.random:
        return f"The {comparison.seeds} starting points are no random sample: look at where the methods go from each."
    if BASELINE not in comparison.methods:
        return f"Nothing is said about differences, since {BASELINE} is not among the methods."
    rivals = [summary for summary in summaries if summary.method in comparison.methods and summary.method != BASELINE]
    if not rivals:
        return f"There is no method to compare with {BASELINE}."
    if comparison.seeds < LEAST_SEEDS:
        dead = ", ".join(summary.method for summary in summaries if summary.failed == comparison.seeds)
        return (
            f"{comparison.seeds} seeds are too few to call any difference from {BASELINE} real; "
            f"take {LEAST_SEEDS} or more.{f' Failed in every seed: {dead}.' if dead else ''}"
        )
    judged = [summary for summary in rivals if _pairs(summary) >= LEAST_SEEDS]
    left_out = _left_out(comparison, summaries, [summary for summary in rivals if summary not in judged])
    if not judged:
        return f"No method can be judged against {BASELINE}, for want of {LEAST_SEEDS} seeds that finished: {left_out}."
    among, last = (" of the judged methods", f" Not judged: {left_out}.") if left_out else ("", "")
    better, worse = _real(judged, comparison.unit, 1), _real(judged, comparison.unit, -1)
    number = sum(len(summary.differences) for summary in judged)
    basis = f"{comparison.seeds} seeds, paired, 95 % intervals that hold for all {number} comparisons together"
    if not better and not worse:
        return (
            f"{f'None{among}' if among else 'No method'} differs from {BASELINE} by more than chance ({basis}).{last}"
        )
    return (
        f"{f'Better than {BASELINE}: {better}' if better else f'No method is better than {BASELINE}'}. "
        f"{f'Worse: {worse}' if worse else 'None is worse'}. "
        f"All other differences{among} are within chance ({basis}).{last}"
    )


def _pairs(summary: MethodSummary) -> int:
    """In how many seeds neither the method nor the baseline failed."""
    return min((difference.n for difference in summary.differences.values()), default=0)


def _left_out(comparison: Comparison, summaries: Sequence[MethodSummary], unjudged: Sequence[MethodSummary]) -> str:
    """Name the methods with too few pairs, and how many seeds were lost."""
    seeds = comparison.seeds
    where = f" in it or in {BASELINE}" if any(each.failed for each in summaries if each.method == BASELINE) else ""
    return ", ".join(
        f"{summary.method} (failed in every seed)"
        if summary.failed == seeds
        else f"{summary.method} ({seeds - _pairs(summary)} of {seeds} seeds failed{where})"
        for summary in unjudged
    )


def _real(summaries: Sequence[MethodSummary], unit: str, sign: int) -> str:
    """Name the methods and tasks whose difference is surely of a sign, with its mean."""
    return ", ".join(
        f"{summary.method} on {task} by {show(abs(difference.mean), unit)}"
        for summary in summaries
        for task, difference in summary.differences.items()
        if difference.excludes_zero and sign * difference.mean > 0
    )


def show(value: float, unit: str) -> str:
    """A figure as people read it.

    >>> show(0.9314, "%"), show(-1.23456, "")
    ('93.1 points', '-1.235')
    """
    return f"{100 * value:.1f} points" if unit == "%" else f"{value:.4g}"
