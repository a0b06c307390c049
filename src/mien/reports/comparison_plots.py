"""Curves of a comparison's runs over their steps, and paths through a landscape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from mien.comparison import Comparison, Curves, Run
from mien.reports.pages import Picture
from mien.reports.plots import COLORS, drawing

_COLUMNS = 4


def weight_curves(runs: Mapping[str, Run], bounds: Sequence[float] = ()) -> Picture:
    """Each method's weights over the steps of one run; dotted lines at ``bounds``."""

    def draw(axes: Axes, curves: Curves) -> None:
        for task, values in curves.weights.items():
            axes.plot(curves.steps if values else [], values, linewidth=1.2, label=task)
        for bound in bounds:
            axes.axhline(bound, color="#888888", linestyle=":", linewidth=0.9)
        highest = max((value for values in curves.weights.values() for value in values), default=0.0)
        axes.set_ylim(0, max(1.02, 1.05 * highest))

    caption = "One seed of each method; a method without weights has no curve."
    if bounds:
        numbers = " and ".join(f"{bound:.3f}" for bound in bounds)
        caption += f" Dotted: {numbers}, the bounds of the paper's weight unit."
    return _grid(runs, draw, "Weights over steps", caption)


def loss_curves(runs: Mapping[str, Run]) -> Picture:
    """Each method's losses over the steps of one run."""

    def draw(axes: Axes, curves: Curves) -> None:
        for task, values in curves.losses.items():
            axes.plot(curves.steps, np.array(values, dtype=float), linewidth=1.0, label=task)
        if all(value is None or value > 0 for values in curves.losses.values() for value in values):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # 0.5 and 20, no powers of ten
            axes.yaxis.set_minor_formatter(NullFormatter())

    return _grid(runs, draw, "Losses over steps", "Training losses of single batches, same seed as above.")


def gradient_curves(runs: Mapping[str, Run]) -> list[Picture]:
    """How the tasks' gradients stand to each other over the steps of one run of each method, where it was recorded."""
    recorded = {method: run for method, run in runs.items() if run.curves.gradients.steps}
    if not recorded:
        return []

    def angles(axes: Axes, curves: Curves) -> None:
        for pair, values in curves.gradients.cosines.items():
            axes.plot(curves.gradients.steps, values, linewidth=1.0, label=pair)
        axes.axhline(0, color="#888888", linestyle=":", linewidth=0.9)
        axes.set_ylim(-1.05, 1.05)

    def norms(axes: Axes, curves: Curves) -> None:
        largest = np.max([*curves.gradients.norms.values()], axis=0)
        for task, values in curves.gradients.norms.items():
            axes.plot(curves.gradients.steps, np.array(values) / np.maximum(largest, 1e-30), linewidth=1.0, label=task)
        axes.set_ylim(0, 1.05)

    place = "At the last parameters that all tasks share, before weighting; same seed as above."
    return [
        _grid(recorded, angles, "Cosine between the tasks' gradients", f"{place} Below 0 the tasks conflict."),
        _grid(recorded, norms, "Norms of the tasks' gradients", f"{place} Each norm as a share of the largest."),
    ]


def _grid(runs: Mapping[str, Run], draw: Callable[[Axes, Curves], None], title: str, caption: str) -> Picture:
    rows = max(1, -(-len(runs) // _COLUMNS))
    with drawing(rows, _COLUMNS, (2.6, 1.8)) as plot:
        flat = [axes for row in plot.axes for axes in row]
        for axes, (method, run) in zip(flat, runs.items(), strict=False):
            draw(axes, run.curves)
            axes.set_title(method.rpartition(":")[2], fontsize=9)
            axes.tick_params(which="both", labelsize=7)
        for axes in flat[len(runs) :]:
            axes.set_visible(False)
        if runs:
            flat[0].legend(fontsize=7)
    return Picture(title, plot.svg, caption)


def paths(comparison: Comparison, landscape: Callable[[np.ndarray], np.ndarray]) -> Picture:
    """The methods' paths over a plane of two losses, whose sum is shown as contours.

    Args:
        comparison: with positions ``(x, y)`` in the runs' traces.
        landscape: both losses ``(..., 2)`` at ``(..., 2)`` points.
    """
    grid = np.stack(np.meshgrid(np.linspace(-11, 11, 120), np.linspace(-11, 11, 120)), axis=-1)
    heights = landscape(grid).sum(axis=-1)
    rows = max(1, -(-len(comparison.methods) // _COLUMNS))
    with drawing(rows, _COLUMNS, (2.6, 2.4)) as plot:
        flat = [axes for row in plot.axes for axes in row]
        for axes, method in zip(flat, comparison.methods, strict=False):
            axes.contour(grid[..., 0], grid[..., 1], heights, levels=12, colors="#cccccc", linewidths=0.5)
            for number, run in enumerate(comparison.runs[method]):
                _path(axes, np.array(run.curves.trace), COLORS[number % len(COLORS)])
            axes.set_title(method, fontsize=9)
            axes.grid(visible=False)
        for axes in flat[len(comparison.methods) :]:
            axes.set_visible(False)
    caption = "Contours: the sum of both losses. Each path starts at a dot, one a seed, and ends at a star."
    return Picture("Paths", plot.svg, caption)


def _path(axes: Axes, positions: np.ndarray, color: str) -> None:
    if not len(positions):
        return
    segments = list(pairwise(positions))
    for number, (start, end) in enumerate(segments):
        axes.plot(*np.stack([start, end]).T, color=color, alpha=0.35 + 0.65 * number / len(segments), linewidth=1.2)
    axes.plot(*positions[0], "o", color=color, markersize=3.5)
    axes.plot(*positions[-1], "*", color=color, markersize=7)


def examples(comparison: Comparison) -> dict[str, Run]:
    """Of each method the first seed's run that finished."""
    found = {method: next((run for run in comparison.runs[method] if run.best), None) for method in comparison.methods}
    return {method: run for method, run in found.items() if run}
