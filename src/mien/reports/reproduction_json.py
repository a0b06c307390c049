"""A table as ``results.json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import mien
from mien.reports.evaluation_records import published_records, records
from mien.reproduction.material import Material
from mien.reproduction.result import KindResult, TableResult

SCHEMA = 1
"""Version of the form of ``results.json``."""


def table_json(result: TableResult, command: str, *, quick: bool) -> dict[str, Any]:
    """All of a table's results.

    * ``schema``, ``version`` of mien, ``table``, ``title``, ``command``, ``quick`` (true: the figures mean little);
    * ``data`` and ``trained`` (null when it is the same): ``name``, ``title``, ``photos``, ``people``, ``classes``,
      ``left_out`` (sentences), ``digest`` of photos and labels;
    * ``setup``: network and budget; ``learning_rates`` by method; ``seeds``; ``failed`` seeds by row;
    * ``folds``: ``number``, ``of``, and the people in ``test``, ``validation`` and ``train``;
    * ``protocols``, one for each: ``kind``; ``metrics``: name to meaning; ``pairs``: counts by kind; ``rows``: by name
      ``figures`` (by metric: ``mean``, ``fold_sd``, ``seed_sd``, ``low``, ``high``, ``n``, ``people``, ``seeds``,
      ``folds``; shares, not per cent; null where nothing could be counted), ``by_fold`` (the main figure of each fold,
      mean over seeds), ``quirks`` (by name a figure) and ``confusion`` (rows: label; null without);
      ``differences``: ``row``, ``other``, ``figure`` (paired by seed, ``low`` and ``high`` over people and seeds);
    * ``dynamics``: by row, see `mien.reproduction.dynamics.Dynamics`;
    * ``records`` and ``published``: evaluation records, see `mien.reports.evaluation_records.Record`.
    """
    job = result.job
    source = job.tested.source
    return {
        "schema": SCHEMA,
        "version": mien.__version__,
        "table": job.table.name,
        "title": job.table.title,
        "command": command,
        "quick": quick,
        "data": {"name": source.name, "title": source.title} | _material(job.tested),
        "trained": _material(job.material) if job.other and job.material else None,
        "setup": asdict(job.setup),
        "learning_rates": result.runs.learning_rates,
        "seeds": job.seeds,
        "failed": result.failed,
        "folds": [asdict(fold) for fold in result.runs.folds],
        "protocols": [_kind(found) for found in result.kinds],
        "dynamics": {name: asdict(found) for name, found in result.dynamics.items()},
        "records": [asdict(record) for record in records(result)],
        "published": [asdict(record) for record in published_records(result)],
    }


def _material(material: Material) -> dict[str, Any]:
    return {
        "photos": len(material.samples),
        "people": len(material.people),
        "classes": material.classes,
        "left_out": list(material.left_out),
        "digest": material.digest,
    }


def _kind(found: KindResult) -> dict[str, Any]:
    rows = {
        name: {
            "figures": {metric: asdict(figure) if figure else None for metric, figure in scored.figures.items()},
            "by_fold": [float(items.values.mean()) for items in scored.items if items.values.size],
            "quirks": {quirk.value: asdict(figure) for quirk, figure in scored.quirks.items()},
            "confusion": scored.confusion.tolist() if scored.confusion is not None else None,
        }
        for name, scored in found.rows.items()
    }
    return {
        "kind": found.kind.value,
        "metrics": found.metrics,
        "pairs": found.pairs,
        "rows": rows,
        "differences": [asdict(each) for each in found.differences],
    }
