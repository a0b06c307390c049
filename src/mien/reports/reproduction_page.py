"""A table as a folder: a page, ``results.json`` and a model card."""

from __future__ import annotations

import json
import re
from pathlib import Path

import mien
from mien.comparison.estimates import LEAST_SEEDS
from mien.evaluation import Quirk
from mien.reports.comparison_plots import loss_curves, weight_curves
from mien.reports.evaluation_records import folds_in_words, records
from mien.reports.model_card import write_model_card
from mien.reports.pages import Picture, write_page
from mien.reports.reproduction_json import table_json
from mien.reports.reproduction_plots import confusion_matrices, roc_curves
from mien.reports.thumbnails import thumbnail
from mien.reproduction.dynamics import Dynamics
from mien.reproduction.figures import Figure
from mien.reproduction.published import NO_SOURCE, PAPER, PAPER_SETS, paper_figure, peers
from mien.reproduction.result import MAIN, KindResult, TableResult
from mien.reproduction.scored import Mistake
from mien.reproduction.setup import Setup
from mien.reproduction.table import Kind, Row
from mien.weighting.unit import weight_bounds

_ABBREVIATED = re.compile(r"\b(auc|eer|f1|far|frr|tar)\b")

SHOWN = "dynamic"
"""The row whose mistakes are shown."""

GENERAL = (
    "All rows start from the same pretrained network, train the same stages (one shared, then each task's own branch) "
    "on the same batches for the same number of steps, with Adam for the network and the official code's RMSProp at "
    "0.1 for the weight unit. One fold of people tests, the next one chooses the epoch (by the mean of the trained "
    "tasks' figures) and the threshold, the others train; nobody is in two of them, and test people decide nothing in "
    "their fold. {rates} Expressions are trained with softmax, people with softmax and 0.1 times the centre loss."
)
TUNED = (
    "Each row's learning rate was chosen on one grid by the validation people of the first fold, who are the second "
    "fold's test people, in three runs with seeds of their own."
)
FIXED_RATE = "The learning rate was given."
TRAINED_ELSEWHERE = (
    "Trained on the people of another data set, one tenth of whom choose the epoch; this set is tested on only."
)


def write_table(result: TableResult, folder: Path, command: str, *, quick: bool = False, photos: bool = True) -> Path:
    """Write ``index.html``, ``results.json`` (see `mien.reports.reproduction_json.table_json`) and ``model-card.md``.

    Args:
        result: what to write.
        folder: made when missing.
        command: what was typed, to be repeated.
        quick: warn that the figures mean little.
        photos: show the worst errors' photos where the terms of the data set allow it.

    Returns:
        The page's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(table_json(result, command, quick=quick), indent=1)
    (folder / "results.json").write_text(content, encoding="utf-8")
    table = result.job.table
    what = f"{_size(result)}{' Made with --quick: the figures mean little.' if quick else ''}"
    write_model_card(folder / "model-card.md", table.title, what, command, records(result))
    page = folder / "index.html"
    write_page(page, "reproduction.html", _content(result, command, quick=quick, photos=photos))
    return page


def _content(result: TableResult, command: str, *, quick: bool, photos: bool) -> dict[str, object]:
    job = result.job
    notes = _Notes()
    sections = [_section(result, found, notes) for found in result.kinds]
    for section, found in zip(sections, result.kinds, strict=True):
        section["mistakes"] = _mistakes(result, found, photos=photos)
    return {
        "title": job.table.title,
        "subtitle": _size(result),
        "quick": quick,
        "lead": _lead(result),
        "sections": sections,
        "rows_explained": [(row.name, row.meaning) for row in job.rows],
        "dynamics": [_dynamics_row(name, found) for name, found in result.dynamics.items()],
        "pictures": _curves(result),
        "notes": notes.texts,
        "printable": job.tested.source.printable,
        "has_paper": any(section["has_paper"] for section in sections),
        "protocol": TRAINED_ELSEWHERE if job.other and job.material else _protocol(job.setup),
        "trained": bool(job.material),
        "left_out": job.tested.left_out,
        "folds": [fold for fold in result.runs.folds if fold.test],
        "rates": _rates(result),
        "failed": ", ".join(f"{name} {count}" for name, count in result.failed.items()),
        "command": command,
        "version": mien.__version__,
        "setup": job.setup,
    }


def _protocol(setup: Setup) -> str:
    return GENERAL.format(rates=TUNED if len(setup.learning_rates) > 1 else FIXED_RATE)


def _rates(result: TableResult) -> str:
    found = result.runs.learning_rates
    if len(set(found.values())) == 1:
        return f"Learning rate: {next(iter(found.values())):g} for all"
    return "Learning rates: " + "; ".join(f"{name.replace(': ', ' ')} {rate:g}" for name, rate in found.items())


class _Notes:
    """Sources, numbered as they are first named."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def _size(result: TableResult) -> str:
    job = result.job
    material = job.tested
    size = f"{material.source.title}: {len(material.samples):,} photos of {len(material.people):,} people"
    classes = f", {len(material.classes)} expressions" if not job.other else ""
    trained = f"; trained on {job.material.source.title}" if job.other and job.material else ""
    folds = f", {folds_in_words(result)}" if not job.other else ""
    seeds = f", {job.seeds} seed{'s' * (job.seeds > 1)}" if job.material else ""
    return f"{size}{classes}{folds}{seeds}{trained}."


def _lead(result: TableResult) -> str:
    found = result.kinds[0]
    name = SHOWN if SHOWN in found.rows else next(iter(found.rows), "")
    figure = found.rows[name].figures[MAIN] if name else None
    if figure is None:
        return "No row has figures."
    ours = f"{name.capitalize()}: {found.kind.value} accuracy {_show(figure)} %."
    paper = paper_figure(result.job.tested.source.name, found.kind, SHOWN)
    if paper:
        return f"{ours} The paper's row of that name: {paper.value:g} % ({paper.source})."
    return ours


def _section(result: TableResult, found: KindResult, notes: _Notes) -> dict[str, object]:
    name = result.job.tested.source.name
    has_paper = name in PAPER_SETS.get(found.kind, ()) or bool(peers(name, found.kind))
    by_name = {row.name: row for row in result.job.rows}
    return {
        "title": found.kind.value.capitalize(),
        "metrics": [(_metric(metric), text) for metric, text in found.metrics.items()],
        "has_paper": has_paper,
        "has_auc": "auc" in found.metrics,
        "rows": [
            {
                "name": row,
                "paper": _paper(name, found.kind, by_name[row], notes),
                "cells": [_cell(scored.figures[metric], metric) for metric in found.metrics],
            }
            for row, scored in found.rows.items()
        ],
        "peers": [
            (p.method, f"{p.value:g}", notes.number(_source(p.protocol, p.source))) for p in peers(name, found.kind)
        ],
        "pairs": "; ".join(f"{count:,} {kind}" for kind, count in found.pairs.items()),
        "differences": [_difference(each.row, each.other, each.figure) for each in found.differences],
        "few_seeds": _few_seeds([each.figure.seeds for each in found.differences]),
        "quirks": _quirks(found),
        "pictures": _pictures(result, found),
    }


def _metric(name: str) -> str:
    """A metric's name in print."""
    return _ABBREVIATED.sub(lambda found: found[0].upper(), name.replace("_", " "))


def _paper(data: str, kind: Kind, row: Row, notes: _Notes) -> tuple[str, int]:
    """The paper's cell and the number of its source; 0 for none."""
    if not row.paper or data not in PAPER_SETS.get(kind, ()):
        return "", 0
    figure = paper_figure(data, kind, row.paper)
    if figure is None:
        return NO_SOURCE, 0
    return f"{figure.value:g}", notes.number(
        _source(figure.protocol, f"{PAPER}; the number was read in {figure.source}")
    )


def _source(protocol: str, source: str) -> str:
    return f"{source}. Of the protocol the source says: {protocol or 'nothing'}."


def _show(figure: Figure) -> str:
    text = f"{100 * figure.mean:.1f}"
    return text if figure.low is None else f"{text} ({100 * figure.low:.1f} to {100 * (figure.high or 0):.1f})"


def _cell(figure: Figure | None, metric: str) -> dict[str, str]:
    if figure is None:
        return {"text": "", "spread": ""}
    spreads = [("folds", figure.fold_sd), ("seeds", figure.seed_sd)]
    if metric == "auc":
        spread = ", ".join(f"{name} ±{sd:.4f}" for name, sd in spreads if sd is not None)
        return {"text": f"{figure.mean:.4f}", "spread": spread}
    spread = ", ".join(f"{name} ±{100 * sd:.1f}" for name, sd in spreads if sd is not None)
    return {"text": _show(figure), "spread": spread}


def _difference(row: str, other: str, figure: Figure) -> dict[str, str]:
    low, high = figure.low or 0.0, figure.high or 0.0
    kind = "better" if low > 0 else "worse" if high < 0 else ""
    if figure.seeds < LEAST_SEEDS:
        kind = ""
    text = f"{100 * figure.mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    return {"rows": f"{row} minus {other}", "text": text, "kind": kind}


def _few_seeds(seeds: list[int]) -> str:
    """Says that so many seeds tell no difference from chance; empty where all differences have enough."""
    few = min(seeds, default=LEAST_SEEDS)
    if few >= LEAST_SEEDS:
        return ""
    are = "1 seed is" if few == 1 else f"{few} seeds are"
    return f"{are} too few to tell a difference from chance, whatever its interval; take {LEAST_SEEDS} or more."


def _quirks(found: KindResult) -> dict[str, object] | None:
    """Each row's main figure under each quirk that has any; None when there is none."""
    used = [quirk for quirk in Quirk if any(quirk in scored.quirks for scored in found.rows.values())]
    if not used:
        return None
    rows = []
    for name, scored in found.rows.items():
        clean = scored.figures[MAIN]
        cells = [_quirk(clean, scored.quirks.get(quirk)) for quirk in used]
        rows.append((name, f"{100 * clean.mean:.1f}" if clean else "", cells))
    return {"names": [(quirk.value, quirk.meaning) for quirk in used], "rows": rows}


def _quirk(clean: Figure | None, quirk: Figure | None) -> str:
    if clean is None or quirk is None:
        return ""
    return f"{100 * quirk.mean:.1f} ({100 * (quirk.mean - clean.mean):+.1f})"


def _pictures(result: TableResult, found: KindResult) -> list[Picture]:
    pictures = []
    matrices = {name: scored.confusion for name, scored in found.rows.items() if scored.confusion is not None}
    if matrices and result.job.material:
        pictures.append(confusion_matrices(matrices, result.job.material.classes))
    curves = {name: scored.curve for name, scored in found.rows.items() if scored.curve is not None}
    if curves:
        caption = "Pairs of all folds, first seed; distances in units of each fold's threshold from validation people."
        if found.kind is Kind.OFFICIAL_PAIRS:
            caption = "All official pairs, first seed."
        pictures.append(roc_curves(curves, caption))
    return pictures


def _mistakes(result: TableResult, found: KindResult, *, photos: bool) -> list[dict[str, object]]:
    """The shown row's worst errors, with photos where the terms of the data set allow it."""
    material = result.job.material
    scored = found.rows.get(SHOWN)
    if scored is None or material is None:
        return []
    printed = photos and material.source.printable
    position = {name: row for row, name in enumerate(material.photos.names)} if printed else {}

    def shown(mistake: Mistake) -> dict[str, object]:
        photos = [thumbnail(material.photos.images[position[name]]) for name in mistake.photos if name in position]
        return {"names": mistake.photos, "text": mistake.text, "photos": photos}

    return [shown(mistake) for mistake in scored.mistakes]


def _dynamics_row(name: str, found: Dynamics) -> dict[str, str]:
    return {
        "name": name,
        "top": f"{found.top:.3f}",
        "at_bound": f"{found.at_bound:.0%}",
        "flips": f"{found.flips:.1f}",
        "crossings": f"{found.crossings:.1f}",
        "lag": f"{found.lag:.0f}" if found.lag is not None else "none",
        "agreement": f"{found.agreement:.0%}",
        "runs": str(found.runs),
    }


def _curves(result: TableResult) -> list[Picture]:
    runs = result.example()
    return [weight_curves(runs, weight_bounds(2)), loss_curves(runs)] if runs else []
