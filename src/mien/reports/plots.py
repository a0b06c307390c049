"""Plots as SVG text, to stand inside a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLORS = ("#3366a8", "#c8553d", "#4b8f5e", "#8b62a8", "#b8862b", "#4a9aa5", "#a84a72", "#6b6b6b")
"""Of curves, in turn; dark enough for a white page and told apart by most colour-blind eyes."""

_STYLE: Any = {
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.labelcolor": "#444444",
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "sans-serif",
    "font.size": 9.0,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "mien",
    "text.color": "#222222",
    "xtick.color": "#666666",
    "ytick.color": "#666666",
}


class Plot:
    """A figure that is being drawn.

    Attributes:
        axes: the rows of axes.
        svg: the drawing, once the ``with`` block of `drawing` has ended.
    """

    def __init__(self, figure: Figure, axes: list[list[Axes]]) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(rows: int = 1, columns: int = 1, size: tuple[float, float] = (4.0, 3.0)) -> Iterator[Plot]:
    """Draw inside a ``with`` block; afterwards `Plot.svg` holds the picture.

    Args:
        rows: of axes.
        columns: of axes.
        size: width and height of each of them, in inches.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
        plot = Plot(figure, figure.subplots(rows, columns, squeeze=False).tolist())
        yield plot
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    plot.svg = text.getvalue()[text.getvalue().index("<svg") :]
