"""`mien compare`: weighting methods on an experiment, fairly."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.exits import ExitCode, say
from mien.cli.options import parse_settings
from mien.cli.runs_display import RunsDisplay
from mien.comparison import compare as compare_methods
from mien.comparison import load_experiment
from mien.comparison.analysis import BASELINE
from mien.errors import RecipeError
from mien.reports import write_comparison
from mien.weighting.registry import REGISTRY

DEFAULT_METHODS = "equal,dynamic,naive,uncertainty,dwa,gradnorm,famo"


def compare(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="two-digits, faces, toy, or a Python file that defines one.")
    ],
    methods: Annotated[
        str, typer.Option("--methods", metavar="NAMES", help="Weighting methods, separated by commas, or all.")
    ] = DEFAULT_METHODS,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Runs of each method; 10 or more tell real differences.")
    ] = 10,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="The experiment's data, where it needs any.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", file_okay=False, help="Folder of the results; by default comparisons/<experiment>."),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the experiment: --set noise=0.3."),
    ] = None,
) -> ExitCode:
    """Compare weighting methods: equal budgets, tuned learning rates, the same seeds, intervals.

    The folder gets index.html, results.json and runs/. The same command goes on where an interrupted one stood.
    """
    chosen = _chosen(methods)
    settings = parse_settings(change or []) | ({"data": data} if data else {})
    problem = load_experiment(experiment, settings)
    folder = output or Path("comparisons") / problem.name
    with RunsDisplay() as display:
        comparison = compare_methods(problem, chosen, seeds, folder / "runs", display)
    page = write_comparison(comparison, folder, _command(experiment, methods, seeds, change or []))
    say(f"done; open {page}")
    return ExitCode.DONE


def _command(experiment: str, methods: str, seeds: int, changes: list[str]) -> str:
    """What to type to repeat the comparison; where data and results lie is left out, as it is no one else's."""
    words = ["mien", "compare", experiment, "--methods", methods, "--seeds", str(seeds)]
    return shlex.join([*words, *(word for change in changes for word in ("--set", change))])


def _chosen(names: str) -> list[str]:
    """The methods that were asked for; those that want weights by hand cannot be compared by name."""
    known = [name for name, method in REGISTRY.items() if not method.needs_weights]
    known.insert(0, known.pop(known.index(BASELINE)))  # what the others are compared with stands first
    chosen = known if names == "all" else [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        raise RecipeError(f"--methods {names} names no method {', '.join(unknown)}; there are: {', '.join(known)}")
    return list(dict.fromkeys(chosen))
