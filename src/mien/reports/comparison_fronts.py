"""Figures of two tasks against each other: the methods, and the front of fixed weights."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import combinations

from matplotlib.axes import Axes

from mien.comparison import Comparison, Estimate, Figure, MethodSummary, Run
from mien.comparison.comparison import TUNED
from mien.reports.pages import Picture
from mien.reports.plots import COLORS, drawing

FRONT_COLOR = "#999999"


def task_planes(comparison: Comparison, summaries: Sequence[MethodSummary]) -> list[Picture]:
    """A plane for each pair of tasks; none with fewer than two tasks."""
    shown = [summary for summary in summaries if len(summary.figures) > 1]
    return [_plane(comparison, summaries, shown, *pair) for pair in combinations(comparison.tasks, 2) if shown]


def _plane(
    comparison: Comparison,
    summaries: Sequence[MethodSummary],
    shown: Sequence[MethodSummary],
    first: str,
    second: str,
) -> Picture:
    scales = {task: 100 if comparison.tasks[task].unit == "%" else 1 for task in (first, second)}
    front = _front(comparison, first, second)
    with drawing(size=(7.0, 4.6)) as plot:
        axes = plot.axes[0][0]
        if len(front) > 1:
            xs, ys = zip(*((scales[first] * x, scales[second] * y) for x, y in front), strict=True)
            axes.plot(xs, ys, color=FRONT_COLOR, linewidth=1.2, marker=".", zorder=1, label="fixed weights")
            axes.legend(fontsize=7)
        for number, summary in enumerate(shown):
            color = COLORS[number % len(COLORS)]
            point = [(scales[task], summary.figures[task]) for task in (first, second)]
            _point(axes, summary.method.rpartition(":")[2], point, color)
        for summary in summaries:
            if len(summary.figures) == 1 and (task := next(iter(summary.figures))) in (first, second):
                line: Callable[..., object] = axes.axvline if task == first else axes.axhline
                line(scales[task] * summary.figures[task].mean, color="#888888", linestyle=":", linewidth=1)
        axes.set_xlabel(_label(first, comparison.tasks[first]))
        axes.set_ylabel(_label(second, comparison.tasks[second]))
        if not comparison.tasks[first].higher_is_better:
            axes.invert_xaxis()
        if not comparison.tasks[second].higher_is_better:
            axes.invert_yaxis()
    caption = "Up and to the right is better; bars are the spread of the table. Dotted: the task trained alone."
    if len(front) > 1:
        caption += " Grey: the fixed weights that were tried, each at its best learning rate, in the tuning runs."
    return Picture(f"{first.capitalize()} against {second}", plot.svg, caption)


def _point(axes: Axes, name: str, point: Sequence[tuple[int, Estimate]], color: str) -> None:
    (x_scale, x), (y_scale, y) = point
    axes.errorbar(
        x_scale * x.mean,
        y_scale * y.mean,
        xerr=[[x_scale * (x.mean - x.low)], [x_scale * (x.high - x.mean)]],
        yerr=[[y_scale * (y.mean - y.low)], [y_scale * (y.high - y.mean)]],
        color=color,
        marker="o",
        markersize=4,
        linewidth=0.8,
    )
    place = (x_scale * x.mean, y_scale * y.mean)
    axes.annotate(name, place, (4, 4), textcoords="offset points", color=color, fontsize=8)


def _label(task: str, figure: Figure) -> str:
    return f"{task}: {figure.name} ({figure.unit or 'value'})"


def _front(comparison: Comparison, first: str, second: str) -> list[tuple[float, float]]:
    """Mean test figures of fixed weights, from most weight on the second task to most on the first.

    Of more than two tasks those weights that treat all others alike.
    """
    tasks = list(comparison.tasks)
    one, other = tasks.index(first), tasks.index(second)
    found: dict[float, tuple[float, float]] = {}
    for method, runs in _best_rates(comparison).items():
        weights = [float(word) for word in method.partition(" ")[2].split(":")]
        rest = [weight for task, weight in enumerate(weights) if task not in (one, other)]
        if not rest or max(rest) <= min(weights) + 1e-6:
            found[weights[one] / (weights[one] + weights[other])] = (_mean(runs, first), _mean(runs, second))
    return [found[share] for share in sorted(found)]


def _best_rates(comparison: Comparison) -> dict[str, list[Run]]:
    """Of each fixed weights the tuning runs at the best learning rate; those that failed are left out."""
    choice = comparison.choices.get(TUNED)
    if choice is None:
        return {}
    best: dict[str, float] = {}
    for tried in sorted(choice.scores, key=lambda each: choice.scores[each]):
        best[tried.method] = tried.rate
    runs: dict[str, list[Run]] = {}
    for run in comparison.tuning.get(TUNED, []):
        if run.best and best.get(run.plan.method) == run.plan.learning_rate:
            runs.setdefault(run.plan.method, []).append(run)
    return runs


def _mean(runs: Sequence[Run], task: str) -> float:
    return statistics.fmean(run.best.test[task] for run in runs if run.best)
