"""`mien reproduce`: the paper's tables, and the same protocols on open data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.exits import ExitCode, say
from mien.cli.reproduce_data import Library
from mien.cli.runs_display import RunsDisplay
from mien.comparison import Plan, Run
from mien.errors import RecipeError
from mien.evaluation import Quirk
from mien.reports import write_results_page, write_table
from mien.reproduction import ROWS, TABLES, Setup, evaluate_table, find_rows, find_table, make_runs, make_setup
from mien.reproduction.folds import Fold
from mien.reproduction.job import Job

SEEDS = 3
BACKBONE = "resnet29"
EPOCHS, STEPS = Setup().epochs, Setup().steps
ROW_METHODS = ", ".join(row.method for row in ROWS)


def reproduce(
    tables: Annotated[list[str], typer.Argument(metavar="TABLE...", help=f"Any of {', '.join(TABLES)}.")],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="NAME=DIR", help="Where a data set lies, as it was unpacked or aligned."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", file_okay=False, help="Gets a folder a table, the runs and the crops.")
    ] = Path("reproductions"),
    fold: Annotated[
        list[int] | None, typer.Option("--fold", min=0, max=9, help="Make this fold alone, from 0; may be repeated.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help=f"Runs of each row in each fold; {SEEDS}, with --quick 1.")
    ] = None,
    quirk: Annotated[
        list[Quirk] | None,
        typer.Option("--quirk", help="Show what a quirk of the official code is worth; may be repeated."),
    ] = None,
    backbone: Annotated[
        str, typer.Option("--backbone", help="resnet29, inception_resnet_v1_reduced (the paper's) or the full one.")
    ] = BACKBONE,
    weights: Annotated[
        str, typer.Option("--weights", metavar="FILE|NAME", help="Others than the backbone's usual weights.")
    ] = "",
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="METHOD", help=f"Make this row alone; may be repeated. {ROW_METHODS}."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help=f"Length of a run, in units of {STEPS} batches; {EPOCHS} by default."),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option("--rate", help="Choose the learning rate among these, not on the usual grid; may be repeated."),
    ] = None,
    no_photos: Annotated[
        bool, typer.Option("--no-photos", help="Name the worst errors' photos, even where they might be shown.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A few seconds a run, to see that everything works.")] = False,
) -> ExitCode:
    """Make tables of results with folds, seeds and spread, beside the paper's where a source for them exists.

    Photos are aligned first. Each TABLE gets a folder with index.html, results.json and model-card.md; results.html
    lists all of them. The same command goes on where an interrupted one stood. Tables of the same data share their
    runs.
    """
    chosen = [find_table(name) for name in tables]
    setup = make_setup(backbone, weights, quick=quick, epochs=epochs, rates=rate or ())
    rows = find_rows(row or ())
    library = Library(_folders(data or []), output, setup, quick=quick)
    command = _command(
        tables,
        {
            "--fold": fold or [],
            "--seeds": [seeds] if seeds else [],
            "--quirk": [each.value for each in quirk or []],
            "--backbone": [backbone] if backbone != BACKBONE else [],
            "--weights": [Path(weights).name] if weights else [],
            "--row": row or [],
            "--epochs": [epochs] if epochs else [],
            "--rate": rate or [],
        },
        quick=quick,
    )
    for table in chosen:
        material, other = library.find(table)
        job = Job(
            table,
            setup,
            material,
            other,
            folds=tuple(sorted({*(fold or ())})),
            seeds=seeds or (1 if quick else SEEDS),
            quirks=tuple(quirk or ()),
            only=rows,
        )
        with _Display() as display:
            runs = make_runs(job, library.runs_folder(material, other), display)
        result = evaluate_table(job, runs)
        page = write_table(result, output / table.name, command, quick=quick, photos=not no_photos)
        say(f"{table.name}: open {page}")
    write_results_page(output)
    return ExitCode.DONE


class _Display(RunsDisplay):
    def made(self, fold: Fold, plan: Plan, run: Run, *, before: bool) -> None:  # type: ignore[override]
        found = "found: " if before else ""
        super().made(plan, run, where=f"{found}fold {fold.number} of {fold.of}, ")


def _folders(texts: list[str]) -> dict[str, Path]:
    folders = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise RecipeError(f"--data {text} is not of the form NAME=DIR, such as oulu-casia=Oulu_CASIA_NIR_VIS")
        folders[name] = Path(folder)
    return folders


def _command(tables: list[str], options: Mapping[str, Sequence[object]], *, quick: bool) -> str:
    """What to type to repeat it; where data and results lie is left out, as it is no one else's."""
    words = ["mien", "reproduce", *tables]
    words += [word for name, values in options.items() for value in values for word in (name, f"{value}")]
    return shlex.join(words + (["--quick"] if quick else []))
