"""A comparison as ``results.json`` and as a page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mien
from mien.comparison import SINGLE, Comparison, Estimate, MethodSummary, conclude, summarize
from mien.comparison.experiments.toy import Toy, landscape
from mien.reports.comparison_plots import examples, loss_curves, paths, task_plane, weight_curves
from mien.reports.pages import Picture, write_page

SCHEMA = 1
"""Version of the form of ``results.json``."""

PROTOCOL = (
    "For each seed all methods start from the same network and see the same batches in the same order, for the same "
    "number of epochs. Each method's learning rate was chosen on the same grid by the mean validation figure of three "
    "runs with seeds of their own. The epoch is chosen by validation; test data decides nothing. The network is "
    "trained with Adam, the weight unit with the official code's RMSProp at 0.1, other methods' own parameters with "
    "Adam at the rate of their papers, or at the network's where they name none."
)


def write_comparison(comparison: Comparison, folder: Path, command: str) -> Path:
    """Write ``results.json`` and ``index.html`` into a folder.

    ``results.json`` holds: ``schema``; ``experiment``, ``settings``, ``tasks`` (name to figure), ``unit``, ``seeds``,
    ``fingerprint`` of the experiment with its settings, ``version`` of mien and ``command``; ``conclusion``, a
    sentence; ``methods``, one record of `mien.comparison.MethodSummary` each, whose estimates have ``mean``, ``low``,
    ``high`` and ``n``; ``runs``, by method and seed: ``learning_rate``, ``best_epoch`` (from 0), ``validation`` and
    ``test`` figures of every epoch, ``seconds_per_step``, ``failure``; and ``curves``: ``steps``, and ``losses`` and
    ``weights`` by task, the latter empty for methods that have none. A number that is not finite is null.

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
    results = _results(comparison, summaries) | {"conclusion": conclusion, "command": command}
    (folder / "results.json").write_text(json.dumps(_finite(results), allow_nan=False), encoding="utf-8")
    page = folder / "index.html"
    write_page(page, "comparison.html", _content(comparison, summaries, conclusion, command))
    return page


def _results(comparison: Comparison, summaries: Sequence[MethodSummary]) -> dict[str, object]:
    runs = {
        method: [
            {
                "seed": run.plan.seed,
                "learning_rate": run.plan.learning_rate,
                "best_epoch": run.best_epoch if run.best else None,
                "validation": [epoch.validation for epoch in run.epochs],
                "test": [epoch.test for epoch in run.epochs],
                "seconds_per_step": run.seconds_per_step,
                "failure": run.failure,
                "curves": _rounded(asdict(run.curves)),
            }
            for run in made
        ]
        for method, made in comparison.runs.items()
    }
    head = {
        "schema": SCHEMA,
        "version": mien.__version__,
        "experiment": comparison.experiment,
        "settings": comparison.settings,
        "tasks": comparison.tasks,
        "unit": comparison.unit,
        "seeds": comparison.seeds,
        "fingerprint": comparison.fingerprint,
    }
    return head | {"methods": [asdict(summary) for summary in summaries], "runs": runs}


def _rounded(value: Any) -> Any:
    """Numbers of curves to five digits, which is what can be seen of them; a third of the bytes."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _finite(value: Any) -> Any:
    """Null in place of numbers that JSON does not have, as an experiment's figure may be."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _content(
    comparison: Comparison, summaries: Sequence[MethodSummary], conclusion: str, command: str
) -> dict[str, object]:
    return {
        "title": f"Task weighting on {comparison.experiment}",
        "subtitle": f"{len(comparison.methods)} methods, {comparison.seeds} runs each",
        "conclusion": conclusion,
        "spread": f"95 % interval over {comparison.seeds} seeds"
        if comparison.random
        else f"range over {comparison.seeds} starting points",
        "tasks": comparison.tasks,
        "has_gain": any(summary.gain for summary in summaries),
        "has_failed": any(summary.failed for summary in summaries),
        "rows": [_row(summary, comparison) for summary in summaries],
        "differences": [_difference(summary, comparison) for summary in summaries if summary.differences],
        "pictures": _pictures(comparison, summaries),
        "protocol": PROTOCOL,
        "command": command,
        "version": mien.__version__,
        "fingerprint": comparison.fingerprint,
        "settings": comparison.settings,
    }


def _row(summary: MethodSummary, comparison: Comparison) -> dict[str, object]:
    alone = summary.method.startswith(SINGLE)
    return {
        "method": f"{summary.method.removeprefix(SINGLE)} alone" if alone else summary.method,
        "alone": alone,
        "figures": [_show(summary.figures.get(task), comparison.unit) for task in comparison.tasks],
        "gain": _show(summary.gain, "%", signed=True),
        "rank": f"{summary.rank:.1f}" if summary.rank is not None else "",
        "step": f"{summary.step_time:.2f}" if summary.step_time else "",
        "rate": f"{summary.learning_rate:g}",
        "failed": summary.failed or "",
    }


def _difference(summary: MethodSummary, comparison: Comparison) -> dict[str, object]:
    cells = []
    for task in comparison.tasks:
        found = summary.differences.get(task)
        real = found is not None and found.excludes_zero
        kind = ("better" if found.mean > 0 else "worse") if found and real else ""
        cells.append({"text": _show(found, comparison.unit, signed=True), "kind": kind})
    return {"method": summary.method, "cells": cells}


def _show(value: Estimate | None, unit: str, *, signed: bool = False) -> str:
    if value is None:
        return ""
    scale, form = (100, ".1f") if unit == "%" else (1, ".3f")
    sign = "+" if signed else ""
    text = f"{scale * value.mean:{sign}{form}}"
    return text if value.n < 2 else f"{text} ({scale * value.low:{sign}{form}} to {scale * value.high:{sign}{form}})"


def _pictures(comparison: Comparison, summaries: Sequence[MethodSummary]) -> list[Picture]:
    pictures = [task_plane(comparison, summaries)]
    if comparison.experiment == Toy.name:
        pictures.append(paths(comparison, _landscape))
    shown = examples(comparison)
    pictures += [weight_curves(shown), loss_curves(shown)]
    return [picture for picture in pictures if picture]


def _landscape(points: np.ndarray) -> np.ndarray:
    values: np.ndarray = landscape(torch.from_numpy(points)).numpy()
    return values
