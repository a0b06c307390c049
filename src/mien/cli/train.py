"""`mien train`: a recipe and data to a trained network."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mien.cli.exits import ExitCode, say
from mien.cli.options import parse_settings
from mien.errors import RecipeError
from mien.training import BEST, Recipe, Trainer, choose_device, load_recipe, load_sources

DataOption = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="NAME=FOLDER", help="Where a data set of the recipe lies; once for each."),
]


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file, or the name of a shipped recipe.")],
    data: DataOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", file_okay=False, help="Folder of the run; by default runs/<name>.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="CHECKPOINT", help="Begin with the weights of another run's best.pt."),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            "--teacher",
            metavar="CHECKPOINT",
            help="Another run's best.pt that teaches expressions; several teach together. For recipes that want it.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="auto|cpu|cuda",
            help="Where to compute, instead of what the recipe says; auto takes a GPU where there is one.",
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Replace a value of the recipe: --set weighting.method=equal, --set sources.0.per_batch=32.",
        ),
    ] = None,
) -> ExitCode:
    """Train a recipe. The same command goes on where an interrupted run stood, and ends with the same weights.

    The folder of the run gets best.pt (for mien export), last.pt, history.json and TensorBoard's files.
    """
    settings = parse_settings(change or []) | ({"device": device} if device else {})
    plan = find_recipe(recipe).changed(settings)
    choose_device(plan.device, plan.precision)  # before minutes are spent on the data
    folder = output or Path("runs") / plan.name
    sources = load_sources(plan, parse_folders(data or []), say)
    with _Display() as display:
        metrics = Trainer(plan, sources, folder, display, start, teacher or ()).run()
    best = ", ".join(f"{key} {value:.4g}" for key, value in metrics.items())
    say(f"done; the best epoch is in {folder / BEST}: {best}")
    return ExitCode.DONE


def find_recipe(name: str) -> Recipe:
    """Load a recipe from a file, or a shipped one by name.

    Raises:
        RecipeError: there is none, or it is invalid.
    """
    shipped = {
        Path(entry.name).stem: entry for entry in files("mien.recipes").iterdir() if entry.name.endswith(".yaml")
    }
    if name in shipped and not Path(name).is_file():
        return load_recipe(Path(str(shipped[name])))
    if not Path(name).is_file():
        raise RecipeError(f"there is no recipe {name}; give a YAML file, or one of: {', '.join(sorted(shipped))}")
    return load_recipe(Path(name))


def parse_folders(data: list[str]) -> dict[str, Path]:
    """Map names to folders from ``NAME=FOLDER`` texts.

    Raises:
        RecipeError: a text has another form.
    """
    folders = {}
    for text in data:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise RecipeError(f"--data {text} is not of the form NAME=FOLDER")
        folders[name] = Path(folder)
    return folders


class _Display:
    """A progress bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        """Show the step, the losses and the weights."""
        if self._task is None:
            self._task = self._bar.add_task("training", total=total)
        parts = [f"{task} {loss:.3f} x {weights[task]:.2f}" for task, loss in losses.items()]
        self._bar.update(self._task, completed=done, description="  ".join(parts))

    def line(self, text: str) -> None:
        """Print a line above the bar, or on stderr."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
