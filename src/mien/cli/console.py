"""What people see on a terminal: tables on stdout, a progress bar on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WIDTH_OF_FILES = 160
"""Columns of a table that is not shown on a terminal but written to a file or a pipe."""


def stdout_console() -> Console:
    """A console on stdout, as wide as the terminal."""
    width = None if sys.stdout.isatty() else WIDTH_OF_FILES
    return Console(width=width, highlight=False, markup=False, emoji=False)


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text that every terminal can take, whatever bytes or line breaks its name holds."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@contextmanager
def progress(total: int, what: str, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr while the block runs, if stderr is a terminal; yields a function that advances it by one.

    Args:
        total: how many steps.
        what: what is done, a few words.
        quiet: show nothing; for output that goes to the same terminal.
    """
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    task = bar.add_task(what, total=total)
    with bar:
        yield lambda: bar.advance(task)
