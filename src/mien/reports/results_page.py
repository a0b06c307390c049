"""All tables of a folder as one list: Task, Dataset, Metric, Value, Model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mien.reports.pages import write_page
from mien.reproduction.published import PAPER, PUBLISHED
from mien.reproduction.table import Kind


def write_results_page(folder: Path) -> Path:
    """Write ``results.html`` from the ``results.json`` of each table below ``folder``.

    The paper's own line stands first. Tables that cannot be read are passed over.

    Returns:
        The page's path.
    """
    notes: list[str] = []
    rows = [_row(record, notes, "", quick=False) for record in [_papers_line()]]
    for path in sorted(folder.glob("*/results.json")):
        rows += list(_rows(path, notes))
    page = folder / "results.html"
    write_page(page, "results.html", {"title": "Results", "rows": _once(rows), "notes": notes})
    return page


def _papers_line() -> dict[str, Any]:
    """Oulu-CASIA, accuracy over ten folds, 89.6, Dynamic MTL."""
    line = next(p for p in PUBLISHED if (p.data, p.kind, p.row) == ("oulu-casia", Kind.EXPRESSION, "dynamic"))
    return asdict(line) | {
        "task": "Facial Expression Recognition",
        "data": "Oulu-CASIA",
        "metric": "Accuracy (10-fold)",
        "model": line.method,
        "source": f"{PAPER}; read in {line.source}",
        "spread": "",
    }


def _rows(path: Path, notes: list[str]) -> Iterator[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        page = f"{path.parent.name}/index.html"
        for record in (*content["published"], *content["records"]):
            yield _row(record, notes, page, quick=content["quick"] and not record["source"])
    except (ValueError, KeyError, TypeError):
        return


def _row(record: dict[str, Any], notes: list[str], page: str, *, quick: bool) -> dict[str, Any]:
    source = record["source"]
    if source and source not in notes:
        notes.append(source)
    return {
        "task": record["task"],
        "data": record["data"],
        "metric": record["metric"],
        "value": f"{record['value']:g}",
        "model": record["model"],
        "spread": record["spread"],
        "source": notes.index(source) + 1 if source else 0,
        "page": page,
        "quick": quick,
    }


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without published lines that several tables name."""
    seen = set()
    kept = []
    for row in rows:
        key = (row["task"], row["data"], row["metric"], row["value"], row["model"])
        if not row["source"] or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept
