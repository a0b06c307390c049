"""A comparison as a page, and beside it ``results.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import mien
from mien.comparison import (
    SINGLE,
    Comparison,
    Contrast,
    Estimate,
    Figure,
    MethodSummary,
    conclude,
    contrast_all,
    summarize,
    tell_contrasts,
    warnings_of,
)
from mien.comparison.experiments.toy import Toy, landscape
from mien.reports.comparison_fronts import task_planes
from mien.reports.comparison_json import write_results
from mien.reports.comparison_plots import examples, gradient_curves, loss_curves, paths, weight_curves
from mien.reports.pages import Picture, write_page

PROTOCOL = (
    "For each seed all methods start from the same network and see the same batches in the same order, for the same "
    "number of epochs. Each method's learning rate, and the weights of tuned fixed weights, were chosen by the "
    "validation figures of three runs with seeds of their own, on a grid that is widened until the best does not lie "
    "on its edge. Figures of several tasks are put together as the mean relative gain over training each task alone, "
    "or by the experiment's own score. The epoch is chosen by validation in the same way; test data decides nothing. "
    "The network is trained with Adam, the weight unit with the official code's RMSProp at 0.1, other methods' own "
    "parameters with Adam at the rate of their papers, or at the network's where they name none."
)


def write_comparison(comparison: Comparison, folder: Path, command: str) -> Path:
    """Write ``results.json`` and ``index.html`` into a folder.

    See `mien.reports.comparison_json` for the form of ``results.json``.

    Args:
        comparison: what to write.
        folder: made when missing.
        command: what was typed, to be repeated.

    Returns:
        The page's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summaries = summarize(comparison)
    conclusion = conclude(comparison, summaries)
    write_results(comparison, summaries, folder / "results.json", {"conclusion": conclusion, "command": command})
    page = folder / "index.html"
    write_page(page, "comparison.html", _content(comparison, summaries, conclusion, command))
    return page


def _content(
    comparison: Comparison, summaries: Sequence[MethodSummary], conclusion: str, command: str
) -> dict[str, object]:
    return {
        "title": f"Task weighting on {comparison.experiment}",
        "subtitle": f"{len(comparison.methods)} methods, {comparison.seeds} runs each",
        "conclusion": conclusion,
        "warnings": warnings_of(comparison),
        "contrasts": tell_contrasts(comparison),
        "contrast_rows": _contrast_rows(comparison),
        "spread": f"95 % interval over {comparison.seeds} seeds"
        if comparison.random
        else f"range over {comparison.seeds} starting points",
        "tasks": {task: _told(figure) for task, figure in comparison.tasks.items()},
        "has_samples": any(each.sampled for summary in summaries for each in summary.contrasts.values()),
        "has_gain": any(summary.gain for summary in summaries),
        "has_failed": any(summary.failed for summary in summaries),
        "rows": [_row(summary, comparison) for summary in summaries],
        "differences": [_difference(summary, comparison) for summary in summaries if summary.contrasts],
        "pictures": _pictures(comparison, summaries),
        "protocol": PROTOCOL,
        "command": command,
        "version": mien.__version__,
        "fingerprint": comparison.fingerprint,
        "settings": comparison.settings,
    }


def _told(figure: Figure) -> str:
    unit = f", {figure.unit}" if figure.unit not in ("", "%") else ""
    return f"{figure.name}{unit}{'' if figure.higher_is_better else ', lower is better'}"


def _row(summary: MethodSummary, comparison: Comparison) -> dict[str, object]:
    alone = summary.method.startswith(SINGLE)
    name = f"{summary.method.removeprefix(SINGLE)} alone" if alone else short_name(summary.method)
    return {
        "method": f"{name} ({summary.variant})" if summary.variant else name,
        "alone": alone,
        "figures": [_show(summary.figures.get(task), figure) for task, figure in comparison.tasks.items()],
        "gain": _show(summary.gain, Figure("gain"), signed=True),
        "rank": f"{summary.rank:.1f}" if summary.rank is not None else "",
        "step": f"{summary.step_time:.2f}" if summary.step_time else "",
        "rate": f"{summary.learning_rate:g}",
        "failed": summary.failed or "",
    }


def short_name(method: str) -> str:
    """A method as it is shown: a class of a file by its name alone.

    >>> short_name("path/to/mine.py:Mine"), short_name("dynamic")
    ('Mine', 'dynamic')
    """
    return method.rpartition(":")[2] if ".py:" in method else method


def _difference(summary: MethodSummary, comparison: Comparison) -> dict[str, object]:
    cells = [_cell(summary.contrasts.get(task), figure) for task, figure in comparison.tasks.items()]
    return {"method": short_name(summary.method), "cells": cells}


def _cell(contrast: Contrast | None, figure: Figure) -> dict[str, str]:
    if contrast is None:
        return {"text": "", "kind": "", "sampled": "", "detectable": ""}
    found = contrast.difference
    kind = ("better" if figure.sign * found.mean > 0 else "worse") if found.excludes_zero else ""
    return {
        "text": _show(found, figure, signed=True),
        "kind": kind,
        "sampled": _interval(contrast.sampled, figure) if contrast.sampled else "",
        "detectable": _number(contrast.detectable, figure, "") if contrast.detectable == contrast.detectable else "",
    }


def _contrast_rows(comparison: Comparison) -> list[dict[str, object]]:
    if not comparison.random:
        return []
    return [
        {
            "name": f"{short_name(each.first)} - {short_name(each.second)}",
            "task": each.task,
            "p": f"{each.p:.2g}",
            "same": _number(each.same_within, comparison.tasks[each.task], "") if each.difference.n > 1 else "",
            **_cell(each, comparison.tasks[each.task]),
        }
        for each in contrast_all(comparison, comparison.contrasts)
    ]


def _show(value: Estimate | None, figure: Figure, *, signed: bool = False) -> str:
    if value is None:
        return ""
    sign = "+" if signed else ""
    text = _number(value.mean, figure, sign)
    return text if value.n < 2 else f"{text} ({_interval(value, figure, sign)})"


def _interval(value: Estimate, figure: Figure, sign: str = "+") -> str:
    return f"{_number(value.low, figure, sign)} to {_number(value.high, figure, sign)}"


def _number(value: float, figure: Figure, sign: str) -> str:
    scale, form = (100, ".1f") if figure.unit == "%" else (1, ".2f" if figure.unit else ".3f")
    return f"{scale * value:{sign}{form}}"


def _pictures(comparison: Comparison, summaries: Sequence[MethodSummary]) -> list[Picture]:
    pictures = task_planes(comparison, summaries)
    if comparison.experiment == Toy.name:
        pictures.append(paths(comparison, _landscape))
    shown = examples(comparison)
    return [*pictures, weight_curves(shown), loss_curves(shown), *gradient_curves(shown)]


def _landscape(points: np.ndarray) -> np.ndarray:
    values: np.ndarray = landscape(torch.from_numpy(points)).numpy()
    return values
