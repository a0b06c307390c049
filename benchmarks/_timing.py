"""Timing two sides against each other in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Times of two sides, taken in turn.

    Attributes:
        first: seconds of the first side, a run each.
        second: seconds of the second side, each measured next to the first side's of the same position.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Second over first, for each pair of neighbouring runs; what slows the machine down cancels out."""
        return [b / a for a, b in zip(self.first, self.second, strict=True)]

    @property
    def ratio(self) -> float:
        """Median of the ratios."""
        return median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Lower and upper quartile of the ratios."""
        return quartiles(self.ratios)


def interleave(first: Call, second: Call, repeats: int, *, calls: int = 1) -> Comparison:
    """Time two calls in turn; which of them goes first alternates.

    Args:
        first: one side.
        second: the other side.
        repeats: timed runs of each, after one untimed run.
        calls: calls a run, for what is quick. Above 1 an untimed call comes before them, so that each side finds its
            weights in the processor's caches, and not the other side's.
    """
    first()
    second()
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats):
        sides = ((0, first), (1, second))
        for side, call in sides if repeat % 2 == 0 else reversed(sides):
            times[side].append(seconds(call, calls))
    return Comparison(tuple(times[0]), tuple(times[1]))


def pooled(comparisons: Iterable[Comparison]) -> Comparison:
    """Several comparisons, of different photos say, as one."""
    first: list[float] = []
    second: list[float] = []
    for comparison in comparisons:
        first += comparison.first
        second += comparison.second
    return Comparison(tuple(first), tuple(second))


def seconds(call: Call, calls: int = 1) -> float:
    """Wall-clock seconds of one call, the mean of several."""
    if calls > 1:
        call()
    start = perf_counter()
    for _ in range(calls):
        call()
    return (perf_counter() - start) / calls


def quartiles(values: list[float]) -> tuple[float, float]:
    """Lower and upper quartile; of a single value, that value."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high
