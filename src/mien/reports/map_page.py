"""Many comparisons of the same methods as heat maps on one page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

import mien
from mien.reports.pages import Picture, write_page
from mien.reports.plots import drawing

Cells = Mapping[str, Mapping[str, Any]]
"""What ``benchmarks/weighting_map.py`` tells of each cell, by its name."""


def write_map(cells: Cells, folder: Path) -> Path:
    """Write ``index.html`` with heat maps, and a table of the hypotheses.

    Args:
        cells: of each: ``methods`` with ``figures``, ``gain over equal`` and ``collapsed``; ``hypotheses``; ``seeds``.
        folder: has a folder of each cell with its page.
    """
    methods = list(dict.fromkeys(method for cell in cells.values() for method in cell["methods"]))
    pictures = [
        _heat(cells, methods, "gain over equal", "Mean gain over equal weighting", "points of relative gain"),
        _heat(cells, methods, "collapsed", "Collapsed runs", "share of the runs"),
    ]
    names = [each["hypothesis"] for each in next(iter(cells.values()))["hypotheses"]]
    rows = [
        {"cell": name, "link": quote(f"{name}/index.html"), "verdicts": [_told(each) for each in cell["hypotheses"]]}
        for name, cell in cells.items()
    ]
    page = folder / "index.html"
    content = {
        "title": "Where task weights help",
        "subtitle": f"{len(cells)} cells, {len(methods)} methods, {next(iter(cells.values()))['seeds']} seeds",
        "hypotheses": names,
        "rows": rows,
        "warnings": [f"{name}: {text}" for name, cell in cells.items() for text in cell["warnings"]],
        "pictures": pictures,
        "version": mien.__version__,
    }
    write_page(page, "map.html", content)
    return page


def _told(hypothesis: Mapping[str, Any]) -> dict[str, str]:
    kinds = {"holds": "better", "refuted": "worse"}
    if not hypothesis["n"]:
        return {"kind": "", "text": hypothesis["verdict"], "more": ""}
    numbers = [100 * hypothesis[key] for key in ("mean", "low", "high", "detectable")]
    text = f"{numbers[0]:+.1f} ({numbers[1]:+.1f} to {numbers[2]:+.1f})"
    more = f"{hypothesis['verdict']}, p {hypothesis['p']:.2g}, detectable {numbers[3]:.1f}"
    return {"kind": kinds.get(hypothesis["verdict"], ""), "text": text, "more": more}


def _heat(cells: Cells, methods: list[str], key: str, title: str, unit: str) -> Picture:
    values = np.array([[_value(cell, method, key) for method in methods] for cell in cells.values()])
    known = np.abs(values[np.isfinite(values)])
    limit = max(1.0, float(np.quantile(known, 0.95))) if known.size else 1.0
    with drawing(size=(0.75 * len(methods) + 2.5, 0.3 * len(cells) + 1.2)) as plot:
        axes = plot.axes[0][0]
        colors, lowest = ("Reds", 0.0) if key == "collapsed" else ("RdYlGn", -limit)
        axes.imshow(values, cmap=colors, vmin=lowest, vmax=limit, aspect="auto")
        axes.set_xticks(range(len(methods)), methods, rotation=35, ha="right", fontsize=8)
        axes.set_yticks(range(len(cells)), list(cells), fontsize=8)
        axes.grid(visible=False)
        for row, column in np.ndindex(*values.shape):
            if math.isfinite(values[row, column]):
                axes.text(column, row, f"{values[row, column]:.1f}", ha="center", va="center", fontsize=7)
    return Picture(title, plot.svg, f"In percent: {unit}. A cell in each row, a method in each column.")


def _value(cell: Mapping[str, Any], method: str, key: str) -> float:
    found = cell["methods"].get(method, {}).get(key)
    return math.nan if found is None else 100 * float(found)
