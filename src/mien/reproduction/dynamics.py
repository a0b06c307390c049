"""What the weights of two tasks did over a run: the shape of the paper's figure, in numbers.

Read off the curves of that figure: the weights reach a bound (0.804 and 0.196 for normalised logits) within 3 to 10
steps, sit within 0.015 of it for 68 % of CK+'s steps, flip 40 to 240 steps after the losses cross, and the larger loss
has the larger weight in 65 to 77 % of the steps.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.comparison import Curves
from mien.weighting.unit import weight_bounds

NEAR = 0.015
"""As near as this to a bound counts as sitting at it."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Figures of one run, or their means over several.

    Attributes:
        top: the largest weight that was seen.
        at_bound: share of the steps with a weight within `NEAR` of a bound of the unit with normalised logits.
        flips: how often the larger weight changed sides.
        crossings: how often the larger loss changed sides.
        lag: median number of steps from a crossing of the losses to the next flip of the weights that follows it; None
            without any.
        agreement: share of the steps in which the larger loss has the larger weight.
        runs: how many runs.
    """

    top: float
    at_bound: float
    flips: float
    crossings: float
    lag: float | None
    agreement: float
    runs: int = 1


def describe(curves: Curves) -> Dynamics | None:
    """The figures of a run of two tasks; None when it has another number of tasks or no weights."""
    if len(curves.weights) != 2 or not all(curves.weights.values()):
        return None
    first, second = (np.array(values, dtype=float) for values in curves.weights.values())
    one, other = (np.array(values, dtype=float) for values in curves.losses.values())
    known = np.isfinite(one) & np.isfinite(other)
    steps = np.array(curves.steps)[known]
    ahead, harder = (first > second)[known], (one > other)[known]
    if not steps.size:
        return None
    low, high = weight_bounds(2)
    near = np.minimum(abs(first - low), abs(first - high)) <= NEAR
    lags = _lags(steps, harder, ahead)
    return Dynamics(
        top=float(max(first.max(), second.max())),
        at_bound=float(near.mean()),
        flips=float(np.count_nonzero(np.diff(ahead))),
        crossings=float(np.count_nonzero(np.diff(harder))),
        lag=statistics.median(lags) if lags else None,
        agreement=float(np.mean(ahead == harder)),
    )


def _lags(steps: np.ndarray, harder: np.ndarray, ahead: np.ndarray) -> list[float]:
    """From each crossing that is not taken back before the weights follow, to that flip."""
    crossed: int | None = None
    lags: list[float] = []
    for k in range(1, len(steps)):
        if harder[k] != harder[k - 1]:
            crossed = int(steps[k]) if harder[k] != ahead[k - 1] else None
        if crossed is not None and ahead[k] == harder[k]:
            lags.append(float(steps[k] - crossed))
            crossed = None
    return lags


def mean_dynamics(found: Sequence[Dynamics]) -> Dynamics | None:
    """The means over several runs; None without any."""
    if not found:
        return None
    lags = [item.lag for item in found if item.lag is not None]
    return Dynamics(
        top=statistics.fmean(item.top for item in found),
        at_bound=statistics.fmean(item.at_bound for item in found),
        flips=statistics.fmean(item.flips for item in found),
        crossings=statistics.fmean(item.crossings for item in found),
        lag=statistics.median(lags) if lags else None,
        agreement=statistics.fmean(item.agreement for item in found),
        runs=len(found),
    )
