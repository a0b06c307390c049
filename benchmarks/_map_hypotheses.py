"""The three hypotheses of the map, tested in a cell; see `docs/results/map/hypotheses.md`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from mien.comparison.estimates import LEVEL, detectable, estimate, holm, p_value, same_within

HARD = "right"
SINGLE = "single: "

Results = dict[str, Any]
"""The content of a cell's ``results.json``."""


def figures(results: Results, method: str, task: str) -> list[float]:
    """A method's test figure of each seed at the epoch that validation chose; NaN where the run failed."""
    return [
        run["test"][run["best_epoch"]][task] if run["best_epoch"] is not None else math.nan
        for run in results["runs"][method]
    ]


def gains(results: Results, method: str) -> list[float]:
    """Of each seed the mean over tasks of the relative gain over training the task alone; NaN where a run failed."""
    rows = []
    for task, figure in results["tasks"].items():
        sign = 1 if figure["higher_is_better"] else -1
        alone = figures(results, SINGLE + task, task)
        pairs = zip(figures(results, method, task), alone, strict=True)
        rows.append([sign * (value - single) / abs(single) if single else math.nan for value, single in pairs])
    return [statistics.fmean(column) for column in zip(*rows, strict=True)]


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Seed-wise differences, without the seeds in which one of the two failed."""
    return [a - b for a, b in zip(first, second, strict=True) if not math.isnan(a - b)]


def judge_hypotheses(results: Results) -> list[dict[str, Any]]:
    """All three, with what each test says."""
    pairs = {
        "dynamic beats equal on the harder task": differences(
            figures(results, "dynamic", HARD), figures(results, "equal", HARD)
        ),
        "dynamic beats tuned fixed weights": differences(gains(results, "dynamic"), gains(results, "fixed")),
        "dynamic raises the mean gain": differences(gains(results, "dynamic"), gains(results, "equal")),
    }
    adjusted = holm([p_value(values) if values else 1.0 for values in pairs.values()])
    return [_told(name, values, p) for (name, values), p in zip(pairs.items(), adjusted, strict=True)]


def _told(name: str, values: list[float], p: float) -> dict[str, Any]:
    if not values:
        return {"hypothesis": name, "verdict": "not judged", "n": 0}
    found = estimate(values, 3)
    verdict = "tells nothing" if p > 1 - LEVEL else "holds" if found.mean > 0 else "refuted"
    return {
        "hypothesis": name,
        "verdict": verdict,
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "p": p,
        "detectable": detectable(values, 3),
        "same_within": same_within(values),
    }


def collapsed(results: Results, method: str) -> float:
    """Share of a method's runs that failed, or in which a task has less than half of what it reaches alone."""
    runs = results["runs"][method]
    bad = [False] * len(runs)
    for task in results["tasks"]:
        alone = [value for value in figures(results, SINGLE + task, task) if not math.isnan(value)]
        limit = 0.5 * statistics.fmean(alone) if alone else math.inf
        bad = [was or not value >= limit for was, value in zip(bad, figures(results, method, task), strict=True)]
    return sum(bad) / len(bad)
