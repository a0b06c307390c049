"""The table of commands; each is imported when it is called, so that no command pays for another."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import mien
from mien.cli.exits import EXIT_CODES, ExitCode, missing_extra, reporting


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        module: the module that defines it, under the command's name: a function that returns an `ExitCode`, or a
            typer application of several commands, each of which reports by itself.
        summary: what it does, for the list of commands.
        extra: the extra of the package that it needs; empty for none.
    """

    module: str
    summary: str
    extra: str = ""


COMMANDS = {
    "analyze": Command("mien.cli.analyze", "Find faces in photos and videos: who they are, their expressions."),
    "verify": Command("mien.cli.verify", "Tell whether two photos show the same person."),
    "authenticate": Command(
        "mien.cli.authenticate",
        "Tell whether a camera shows a person and the expressions asked for.",
        extra="video",
    ),
    "gallery": Command("mien.cli.gallery", "Enrol people who agreed to it, and tell who is on a photo."),
    "calibrate": Command("mien.cli.calibrate", "Choose thresholds from your own faces."),
    "serve": Command("mien.cli.serve", "Serve photos, people and challenges by HTTP, with a page.", extra="serve"),
    "align": Command("mien.cli.align", "Cut a data set's faces out, aligned for a model."),
    "datasets": Command("mien.cli.datasets", "List the data sets that can be read, or check one."),
    "info": Command("mien.cli.info", "Describe the installation and the model."),
    "train": Command("mien.cli.train", "Train a model from a recipe.", extra="train"),
    "compare": Command("mien.cli.compare", "Compare task-weighting methods on an experiment.", extra="compare"),
    "adopt": Command("mien.cli.adopt", "Make an ArcFace ONNX file usable as a model."),
    "reproduce": Command("mien.cli.reproduce", "Make the paper's tables, or the same on open data.", extra="compare"),
    "export": Command("mien.cli.export", "Write a checkpoint as a model file.", extra="train"),
    "quantize": Command("mien.cli.quantize", "Write a model file in 8 bits.", extra="train"),
}


class LazyGroup(TyperGroup):
    """Lists commands by their summaries, and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replace the called command's stand-in by itself; the rest is typer's."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load_command(args[0], COMMANDS[args[0]])
        return super().resolve_command(ctx, args)


def load_command(name: str, command: Command) -> Any:
    """Import a command; ends the program with a sentence when the extra that it needs is not installed."""
    try:
        function = getattr(import_module(command.module), name)
    except ImportError as error:
        if not command.extra:
            raise
        raise typer.Exit(missing_extra(name, command.extra, error)) from error
    except KeyboardInterrupt as interruption:
        raise typer.Exit(ExitCode.INTERRUPTED) from interruption
    if isinstance(function, typer.Typer):
        return typer.main.get_command(function)
    single = typer.Typer(add_completion=False, rich_markup_mode=None)  # help holds brackets
    single.command(name, epilog=EXIT_CODES)(reporting(name, function, command.extra))
    return typer.main.get_command(single)


def build() -> typer.Typer:
    """Make the application, with a stand-in for each command."""
    app = typer.Typer(
        name="mien",
        cls=LazyGroup,
        help="One look at a face, two answers: who it is and what its expression is.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
        ] = False,
    ) -> None:
        pass

    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_stand_in)
    return app


def run() -> None:
    """Parse the command line and run it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what the encoding of a terminal or pipe lacks is written as an escape
            stream.reconfigure(errors="backslashreplace")
    try:
        build()()
    except Exception:  # noqa: BLE001  Python would end with 1, which means different people
        traceback.print_exc()
        sys.exit(ExitCode.FAULT)


def _stand_in() -> None: ...


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mien {mien.__version__}")
        raise typer.Exit
