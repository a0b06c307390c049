"""Measure what a weighting method adds to a training step of a small convolutional network.

    python benchmarks/weighting_cost.py [--methods dynamic,famo] [--tasks 2,4,8] [--repeats 60] [--json FILE]

Each method's step is timed in turn with a step of equal weighting, or, for methods with one gradient per task, with
the library torchjd used directly; figures are medians of the ratios. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from _report import Figure, Section, Target, publish
from _setting import describe, limited_to, require
from _timing import Comparison, interleave

if TYPE_CHECKING:
    from _weighted_step import Step

LOSS_BASED, FAMO, GRADNORM, PER_GRADIENT = 1.03, 1.4, 1.3, 1.02
"""Targets as multiples of a step with equal weighting, or with torchjd used directly; GradNorm's is for two tasks."""
BY_GRADIENTS = ("autoscale", "db-mtl")
"""mien's own methods with a backward pass for each task, which have no target."""
UNTIMED = 5


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", metavar="NAME,...", help="methods to measure (default: all)")
    parser.add_argument("--tasks", default="2,4,8", metavar="N,...", help="numbers of tasks (default: 2,4,8)")
    parser.add_argument("--repeats", type=int, default=60, metavar="N", help="timed pairs of steps (default: 60)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="cores and threads (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and times")
    options = parser.parse_args(arguments)
    if options.repeats < 2 or options.threads < 1:
        parser.error("--repeats must be at least 2 and --threads at least 1")
    return options


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Measure method after method, for each number of tasks."""
    from mien.weighting import REGISTRY, GradientWeighting

    names = options.methods.split(",") if options.methods else [name for name in REGISTRY if name != "equal"]
    for tasks in (int(number) for number in options.tasks.split(",")):
        direct = [name for name in names if REGISTRY[name].kind is GradientWeighting]
        yield compare([name for name in names if name not in direct], tasks, options.repeats)
        if direct:
            yield compare_direct(direct, tasks, options.repeats)


def compare(names: list[str], tasks: int, repeats: int) -> Section:
    """Steps with each method against steps with equal weighting."""
    from _weighted_step import Step

    figures, details = [], {}
    for name in names:
        comparison = _time(Step("equal", tasks), Step(name, tasks), repeats)
        bound = {"famo": FAMO, "gradnorm": GRADNORM}.get(name, LOSS_BASED)
        untold = name in BY_GRADIENTS or (name == "gradnorm" and tasks > 2)
        target = None if untold else Target(bound, "at most")
        figures.append(_figure(name, comparison, repeats, target))
        details[name] = {"equal": comparison.first, name: comparison.second}
    protocol = (
        "A training step (forward, the method's backward, step of AdamW; FAMO's second forward pass) as a multiple of "
        "that with equal weighting, which takes "
        f"{1000 * _median_seconds(details):.1f} ms; medians over pairs of steps made in turn."
    )
    return Section(f"{tasks} tasks, against equal weighting", protocol, "quartiles", figures, (), details)


def compare_direct(names: list[str], tasks: int, repeats: int) -> Section:
    """Steps through the adapter against steps with torchjd used directly, in the same way."""
    from _weighted_step import DirectStep, Step

    figures, details = [], {}
    for name in names:
        comparison = _time(DirectStep(name, tasks), Step(name, tasks), repeats)
        figures.append(_figure(name, comparison, repeats, Target(PER_GRADIENT, "at most")))
        details[name] = {"torchjd": comparison.first, name: comparison.second}
    protocol = (
        "A training step through mien.weighting as a multiple of one with torchjd used directly, tasks differentiated "
        "one after the other in both; medians over pairs of steps made in turn."
    )
    return Section(f"{tasks} tasks, against torchjd used directly", protocol, "quartiles", figures, (), details)


def _time(first: Step, second: Step, repeats: int) -> Comparison:
    for _ in range(UNTIMED):
        first()
        second()
    return interleave(first, second, repeats)


def _figure(name: str, comparison: Comparison, repeats: int, target: Target | None) -> Figure:
    low, high = comparison.quartiles
    return Figure(name, comparison.ratio, "x", f"{repeats} pairs", low, high, target)


def _median_seconds(details: dict[str, dict[str, tuple[float, ...]]]) -> float:
    return median(seconds for times in details.values() for seconds in times["equal"]) if details else 0.0


def main() -> None:
    """Measure, print, write."""
    options = parse()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    require("torch", "torchjd")
    import torch

    torch.set_num_threads(options.threads)
    with limited_to(options.threads):
        publish("Cost of weighting methods", describe(None), sections(options), options.json)


if __name__ == "__main__":
    main()
