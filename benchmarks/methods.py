"""Compare weighting methods, and single tasks, by training the recipe methods-r29 with each of them and several seeds.

    python benchmarks/methods.py --data fer2013=FOLDER --data lfw-expressions=ALIGNED [--seeds 3] [--json FILE]

The data is that of the recipe mien-r29: lfw-expressions aligned by `mien align`. Every run has the same number of
steps, and the runs of one seed see the same photos in the same order; figures are those of the last step on the photos
kept for validation, as nothing is chosen by them. A run that was interrupted is gone on with, a finished one is not
repeated.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from _report import Figure, Section, publish
from _setting import describe, require

RECIPE = "methods-r29"
METHODS = ("dynamic", "dynamic-raw", "naive", "equal")
SINGLE = ("identity", "expression")
FIGURES = {
    "fer2013/expression_accuracy": "expression, FER2013",
    "lfw-expressions/expression_accuracy": "expression, lfw-expressions",
    "lfw-expressions/verification_accuracy": "verification, lfw-expressions",
    "lfw-expressions/tar_at_far_1e-2": "TAR at FAR 1e-2, lfw-expressions",
}

Results = dict[str, list[dict[str, float]]]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=DIR", help="where a data set lies")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each method (default: 3)")
    parser.add_argument("--output", type=Path, default=Path("runs/methods"), metavar="DIR", help="folder of the runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    return options


def train_all(options: argparse.Namespace) -> Results:
    """Make all runs, seed by seed, so that an early end leaves whole comparisons."""
    from mien.cli.train import find_recipe, parse_folders
    from mien.training import Recipe, load_sources, train

    recipe = find_recipe(RECIPE)
    sources = load_sources(recipe, parse_folders(options.data), _say)
    plans: dict[str, Recipe] = {
        method: recipe.changed({"weighting.method": method, "name": f"{RECIPE}-{method}"}) for method in METHODS
    }
    for task in SINGLE:
        other = next(name for name in SINGLE if name != task)
        plans[f"{task} alone"] = recipe.changed({f"tasks.{other}": None, "name": f"{RECIPE}-{task}"})
    results: Results = {name: [] for name in plans}
    for seed in range(options.seeds):
        for name, plan in plans.items():
            seeded = plan.changed({"seed": seed})
            train(seeded, sources, options.output / f"{plan.name}-{seed}", _Quiet())
            history = json.loads((options.output / f"{plan.name}-{seed}" / "history.json").read_text())
            results[name].append(history[-1])
            _say(f"{name}, seed {seed}: {history[-1]}")
    return results


def table(results: Results) -> Section:
    """Mean and standard deviation of every figure."""
    figures = [
        _figure(f"{name}: {title}", [run[key] for run in runs])
        for key, title in FIGURES.items()
        for name, runs in results.items()
        if key in runs[0]
    ]
    seeds = min(len(runs) for runs in results.values())
    protocol = (
        f"Recipe {RECIPE}: equal steps, last step, people and photos kept for validation, {seeds} seeds. Learning "
        "rates are those of mien-r29 for every method, none was tuned for it. With so few seeds a difference within "
        "the spreads is none."
    )
    return Section(
        "Weighting methods on a small equal budget", protocol, "one standard deviation", figures, (), results
    )


def _figure(name: str, values: list[float]) -> Figure:
    mean, n = statistics.mean(values), f"{len(values)} seeds"
    if len(values) < 2:
        return Figure(name, mean, "%", n)
    spread = statistics.stdev(values)
    return Figure(name, mean, "%", n, mean - spread, mean + spread)


class _Quiet:
    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        pass

    def line(self, text: str) -> None:
        pass


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Train, print, write."""
    options = parse()
    require("face_recognition_models", "torch", "pydantic", "yaml")
    from mien.errors import MienError

    try:
        section = table(train_all(options))
    except MienError as error:
        sys.exit(str(error))
    publish("Weighting methods", describe(None), [section], options.json)


if __name__ == "__main__":
    main()
