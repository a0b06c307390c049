"""The plots of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mien.reports.pages import Picture
from mien.reports.plots import COLORS, drawing

_COLUMNS = 3
_SMALLEST_FAR = 1e-3


def confusion_matrices(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Picture:
    """Each row's confusion over all folds and seeds: shares of the labelled class, in per cent."""
    rows = -(-len(matrices) // _COLUMNS)
    side = 1.1 + 0.33 * len(classes)
    with drawing(rows, _COLUMNS, (max(2.3, side), max(2.2, side))) as plot:
        flat = [axes for row in plot.axes for axes in row]
        for axes, (name, counts) in zip(flat, matrices.items(), strict=False):
            shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            for i, k in np.ndindex(*shares.shape):
                if counts[i, k]:
                    colour = "white" if shares[i, k] > 0.55 else "#333333"
                    axes.text(k, i, f"{100 * shares[i, k]:.0f}", ha="center", va="center", fontsize=7, color=colour)
            axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
            axes.set_yticks(range(len(classes)), classes, fontsize=7)
            axes.set_title(name, fontsize=9)
            axes.grid(visible=False)
        for axes in flat[len(matrices) :]:
            axes.set_visible(False)
    return Picture("Confusion", plot.svg, "Rows: the label; columns: the prediction; per cent of the label's photos.")


def roc_curves(curves: Mapping[str, np.ndarray], caption: str) -> Picture:
    """Share of genuine pairs accepted over the share of impostor pairs accepted.

    Args:
        curves: by row ``(2, T)`` FAR and TAR.
        caption: says what the pairs are.
    """
    with drawing(size=(6.0, 3.8)) as plot:
        axes = plot.axes[0][0]
        for number, (name, (far, tar)) in enumerate(curves.items()):
            axes.step(
                np.maximum(far, _SMALLEST_FAR / 10), tar, where="post", linewidth=1.3, color=COLORS[number], label=name
            )
        axes.set_xscale("log")
        axes.set_xlim(_SMALLEST_FAR, 1)
        axes.set_xlabel("FAR: impostor pairs accepted")
        axes.set_ylabel("TAR: genuine pairs accepted")
        axes.legend(fontsize=7, loc="lower right")
    return Picture("ROC", plot.svg, caption)
