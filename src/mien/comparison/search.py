"""Choosing learning rates and fixed weights on validation data, on grids that widen until the best lies inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDENINGS = 4
"""A grid is widened at most so often; an optimum that still lies on its edge is told."""

RATIOS = (3.0, 9.0)
"""How much one task may be favored over each of the others, besides not at all, when fixed weights are tuned."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is tried out.

    Attributes:
        method: as in `mien.comparison.Plan`.
        rate: learning rate.
    """

    method: str
    rate: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found best.

    Attributes:
        best: the candidate.
        scores: of all that were tried.
        edge: in words where the best lies on an edge that could not be moved; else empty.
    """

    best: Candidate
    scores: dict[Candidate, float]
    edge: str


def search(
    methods: Callable[[int], Sequence[str]], rates: Sequence[float], score: Callable[[Candidate], float]
) -> Choice:
    """Try a grid and widen it where the best lies on its edge.

    A method whose every run fails is not looked for further. With a single rate and a single method nothing is tried.

    Args:
        methods: the variants of a method, given how often they were widened; one where there is nothing to vary.
        rates: learning rates, in any order.
        score: of a candidate, higher is better; minus infinity when its runs failed.
    """
    grid, variants, widened = sorted(rates), list(methods(0)), 0
    if len(grid) == 1 and len(variants) == 1:
        return Choice(Candidate(variants[0], grid[0]), {}, "")
    scores: dict[Candidate, float] = {}
    for turn in range(2 * WIDENINGS + 1):
        for method in variants:
            for rate in grid:
                candidate = Candidate(method, rate)
                if candidate not in scores:
                    scores[candidate] = score(candidate)
        best = max(scores, key=lambda candidate: scores[candidate])
        if math.isinf(scores[best]):
            return Choice(best, scores, "")
        edges = _edges(best, grid, variants, methods(widened))
        if not edges or turn == 2 * WIDENINGS:
            break
        if "rate" in edges and len(grid) < len(rates) + WIDENINGS:
            grid = sorted([*grid, further_rate(best.rate, up=best.rate == grid[-1])])
        elif "weights" in edges and widened < WIDENINGS:
            widened += 1
            variants = list(methods(widened))
        else:
            break
    told = {"rate": f"learning rate {best.rate:g}", "weights": f"weights {best.method.partition(' ')[2]}"}
    return Choice(best, scores, " and ".join(told[edge] for edge in edges))


def _edges(best: Candidate, grid: Sequence[float], variants: Sequence[str], outer: Sequence[str]) -> list[str]:
    found = ["rate"] if len(grid) > 1 and best.rate in (grid[0], grid[-1]) else []
    return [*found, "weights"] if len(variants) > 1 and best.method in outermost(outer) else found


def further_rate(edge: float, *, up: bool) -> float:
    """The next rate of the series 1, 3, 10.

    >>> [further_rate(0.01, up=True), further_rate(0.03, up=True), further_rate(0.01, up=False)]
    [0.03, 0.1, 0.003]
    """
    size = math.floor(math.log10(edge) + 1e-9)
    large = edge / 10**size >= 2.999
    exponent = size + 1 if up and large else size if up or large else size - 1
    return float(f"{1 if large else 3}e{exponent}")


def favoring(tasks: int, widened: int = 0) -> list[str]:
    """Fixed weights that sum to 1: all alike, and each task favored over each other one by `RATIOS` and further.

    >>> favoring(2)
    ['fixed 0.5:0.5', 'fixed 0.75:0.25', 'fixed 0.25:0.75', 'fixed 0.9:0.1', 'fixed 0.1:0.9']
    """
    ratios = [*RATIOS, *(RATIOS[-1] * 3**number for number in range(1, widened + 1))]
    vectors = [[1.0] * tasks]
    vectors += [
        [ratio if task == favored else 1.0 for task in range(tasks)] for ratio in ratios for favored in range(tasks)
    ]
    return ["fixed " + ":".join(f"{weight / sum(vector):.4g}" for weight in vector) for vector in vectors]


def outermost(variants: Sequence[str]) -> list[str]:
    """Those of `favoring` with the largest ratio."""
    tasks = variants[0].count(":") + 1
    return list(variants[-tasks:]) if len(variants) > 1 else []
