"""`mien compare`: weighting methods on an experiment, fairly."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.exits import ExitCode, say
from mien.cli.options import parse_settings
from mien.cli.runs_display import RunsDisplay
from mien.comparison import EXPERIMENTS, load_experiment, warnings_of
from mien.comparison import compare as compare_methods
from mien.comparison.analysis import BASELINE
from mien.errors import RecipeError
from mien.reports import write_comparison
from mien.weighting import REGISTRY, find_method
from mien.weighting.custom import is_custom

DEFAULT_METHODS = "equal,fixed,dynamic,naive,uncertainty,dwa,gradnorm,famo"


def compare(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help=f"{', '.join(EXPERIMENTS)}, or a Python file that defines one.")
    ],
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            metavar="NAMES",
            help="Weighting methods, separated by commas, or all; one of your own is path/to/file.py:Class.",
        ),
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
    contrast: Annotated[
        list[str] | None,
        typer.Option("--contrast", metavar="A:B", help="Two of the methods to compare with each other: dynamic:fixed."),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the experiment: --set noise=0.3."),
    ] = None,
) -> ExitCode:
    """Compare weighting methods: equal budgets, tuned learning rates, the same seeds, intervals.

    The method fixed has its weights chosen on validation data, as learning rates are.

    The folder gets index.html, results.json and runs/. The same command goes on where an interrupted one stood.
    """
    chosen = _chosen(methods)
    settings = parse_settings(change or []) | ({"data": data} if data else {})
    problem = load_experiment(experiment, settings)
    folder = output or Path("comparisons") / problem.name
    pairs = [_pair(text, chosen) for text in contrast or []]
    with RunsDisplay() as display:
        comparison = compare_methods(problem, chosen, seeds, folder / "runs", display, pairs)
    command = _command(experiment, methods, seeds, {"--contrast": contrast or [], "--set": change or []})
    page = write_comparison(comparison, folder, command)
    for warning in warnings_of(comparison):
        say(f"warning: {warning}")
    say(f"done; open {page}")
    return ExitCode.DONE


def _command(experiment: str, methods: str, seeds: int, repeated: dict[str, list[str]]) -> str:
    """What to type to repeat the comparison; where data and results lie is left out, as it is no one else's."""
    words = ["mien", "compare", experiment, "--methods", methods, "--seeds", str(seeds)]
    more = [word for option, values in repeated.items() for value in values for word in (option, value)]
    return shlex.join([*words, *more])


def _chosen(names: str) -> list[str]:
    """The methods that were asked for."""
    known = list(REGISTRY)
    known.insert(0, known.pop(known.index(BASELINE)))  # what the others are compared with stands first
    chosen = known if names == "all" else [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name.partition(" ")[0] not in known and not is_custom(name)]
    if unknown or not chosen:
        raise RecipeError(
            f"--methods {names} names no method {', '.join(unknown)}; there are: {', '.join(known)}, or give a class "
            "of your own as path/to/file.py:Class"
        )
    for name in filter(is_custom, chosen):
        find_method(name)  # before anything is trained
    return list(dict.fromkeys(chosen))


def _pair(text: str, methods: list[str]) -> tuple[str, str]:
    """The two methods of a contrast; a name may have colons of its own."""
    for first in methods:
        if text.startswith(f"{first}:") and (second := text.removeprefix(f"{first}:")) in methods:
            return first, second
    raise RecipeError(f"--contrast {text} is not two of the methods with a colon between: {', '.join(methods)}")
