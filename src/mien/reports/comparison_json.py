"""A comparison as ``results.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mien
from mien.comparison import Comparison, MethodSummary, Run, contrast_all, warnings_of

SCHEMA = 2
"""Version of the form of ``results.json``."""


def write_results(
    comparison: Comparison, summaries: Sequence[MethodSummary], path: Path, more: Mapping[str, object]
) -> None:
    """Write all figures of a comparison.

    The file holds: ``schema``; ``experiment``, ``settings``, ``tasks`` (each with ``name``, ``unit`` and
    ``higher_is_better`` of its figure), ``seeds``, ``fingerprint`` of the experiment with its settings, ``version`` of
    mien; ``methods``, one record of `mien.comparison.MethodSummary` each, whose estimates have ``mean``, ``low``,
    ``high`` and ``n``; ``contrasts``, one record of `mien.comparison.Contrast` each; ``choices``, by method: the
    ``method`` with its fixed weights, ``learning_rate``, ``edge`` and all ``scores`` that were compared; ``warnings``;
    ``runs``, by method and seed: ``learning_rate``, ``best_epoch`` (from 0), ``validation`` and ``test`` figures of
    every epoch, ``seconds_per_step``, ``failure``; and ``curves``: ``steps``, ``losses`` and ``weights`` by task, the
    latter empty for methods that have none, and ``gradients``. A number that is not finite is null. Figures of single
    test samples are left out.

    Args:
        comparison: what to write.
        summaries: of its methods.
        path: the file.
        more: what else to put into it, as JSON can hold it.
    """
    contrasts = contrast_all(comparison, comparison.contrasts) if comparison.random else []
    content = {
        "schema": SCHEMA,
        "version": mien.__version__,
        "experiment": comparison.experiment,
        "settings": comparison.settings,
        "tasks": {task: asdict(figure) for task, figure in comparison.tasks.items()},
        "seeds": comparison.seeds,
        "fingerprint": comparison.fingerprint,
        "methods": [asdict(summary) for summary in summaries],
        "contrasts": [asdict(contrast) for contrast in contrasts],
        "choices": _choices(comparison),
        "warnings": warnings_of(comparison),
        "runs": {method: [_run(run) for run in made] for method, made in comparison.runs.items()},
        **more,
    }
    path.write_text(json.dumps(_finite(content), allow_nan=False), encoding="utf-8")


def _choices(comparison: Comparison) -> dict[str, object]:
    return {
        entrant: {
            "method": choice.best.method,
            "learning_rate": choice.best.rate,
            "edge": choice.edge,
            "scores": [
                {"method": tried.method, "learning_rate": tried.rate, "score": score}
                for tried, score in choice.scores.items()
            ],
        }
        for entrant, choice in comparison.choices.items()
    }


def _run(run: Run) -> dict[str, object]:
    return {
        "seed": run.plan.seed,
        "learning_rate": run.plan.learning_rate,
        "best_epoch": run.best_epoch if run.best else None,
        "validation": [epoch.validation for epoch in run.epochs],
        "test": [epoch.test for epoch in run.epochs],
        "seconds_per_step": run.seconds_per_step,
        "failure": run.failure,
        "curves": _rounded(asdict(run.curves)),
    }


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
