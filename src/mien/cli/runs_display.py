"""How long jobs of many runs are shown."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mien.cli.exits import say
from mien.comparison import Plan, Run


class RunsDisplay:
    """A progress bar with the time left on a terminal, a line a run elsewhere."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        terminal = sys.stderr.isatty()
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not terminal)
        self._task = self._bar.add_task("preparing", total=None)
        self._lines = not terminal
        self._total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, runs: int) -> None:
        """Show how many runs there are."""
        self._total = runs
        self._bar.update(self._task, total=runs)

    def more(self, runs: int) -> None:
        """Show that there are more."""
        self._total += runs
        self._bar.update(self._task, total=self._total)

    def made(self, plan: Plan, run: Run, *, where: str = "") -> None:
        """Show a run."""
        figures = ", ".join(f"{task} {value:.4f}" for task, value in run.best.test.items()) if run.best else run.failure
        self._bar.update(self._task, advance=1, description=f"{where}{plan.method}, seed {plan.seed}")
        if self._lines:
            rate = f", learning rate {plan.learning_rate:g}" if plan.learning_rate else ""  # nothing is trained at 0
            say(f"{where}{plan.method}{rate}, seed {plan.seed}: {figures or 'done'}")
