"""Results as evaluation records: task, data set, metric, value, model, protocol, code version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mien
from mien.reproduction.figures import Figure
from mien.reproduction.published import PAPER, Published, paper_figure, peers
from mien.reproduction.result import MAIN, KindResult, TableResult
from mien.reproduction.table import Kind

TASKS = {
    Kind.EXPRESSION: ("image-classification", "Facial Expression Recognition"),
    Kind.PAIRS: ("image-feature-extraction", "Face Verification with Facial Expression"),
    Kind.AUTHENTICATION: ("image-feature-extraction", "Face Authentication by Facial Expression"),
    Kind.OFFICIAL_PAIRS: ("image-feature-extraction", "Face Verification"),
}
"""By protocol: the Hub's type of the task, and its name in print."""


@dataclass(frozen=True, slots=True)
class Record:
    """One evaluation.

    Attributes:
        task_type: as the Hugging Face Hub calls it.
        task: its name in print.
        data_type: the data set's short name.
        data: its name in print.
        metric_type: ``accuracy`` and the like.
        metric: the metric and how it was taken.
        value: in per cent.
        model: what was evaluated.
        protocol: in words.
        spread: of the value, in words; empty where none is known.
        n: how many items; None where it is not known.
        code: what made it: this package and its version; empty for published results.
        source: where a published result was read; empty for ours.
    """

    task_type: str
    task: str
    data_type: str
    data: str
    metric_type: str
    metric: str
    value: float
    model: str
    protocol: str
    spread: str = ""
    n: int | None = None
    code: str = ""
    source: str = ""

    def result(self) -> dict[str, Any]:
        """As an entry of ``results`` in a model card's ``model-index``."""
        arguments = {"protocol": self.protocol, "spread": self.spread, "n": self.n, "code": self.code}
        metric = {"type": self.metric_type, "name": self.metric, "value": self.value, "verified": False}
        known = {key: value for key, value in arguments.items() if value}
        return {
            "task": {"type": self.task_type, "name": self.task},
            "dataset": {"type": self.data_type, "name": self.data},
            "metrics": [metric | ({"args": known} if known else {})],
        }


def records(result: TableResult) -> list[Record]:
    """Our rows' main figures."""
    return [
        _ours(result, found, name, figure)
        for found in result.kinds
        for name, scored in found.rows.items()
        if (figure := scored.figures[MAIN])
    ]


def published_records(result: TableResult) -> list[Record]:
    """The paper's own figures, and its peers', on the same data by the nearest protocol."""
    source = result.job.tested.source
    kinds = [each.kind for each in result.kinds]
    found = [p for kind in kinds for p in (paper_figure(source.name, kind, "dynamic"), *peers(source.name, kind)) if p]
    return [_published(each, source.title) for each in found]


def _ours(result: TableResult, found: KindResult, row: str, figure: Figure) -> Record:
    source, cut = result.job.tested.source, result.job.setup.cut
    folds = f"{figure.folds}-fold" if found.kind is Kind.OFFICIAL_PAIRS else folds_in_words(result, adjective=True)
    return Record(
        task_type=TASKS[found.kind][0],
        task=TASKS[found.kind][1],
        data_type=source.name,
        data=source.title,
        metric_type="accuracy",
        metric=f"Accuracy ({folds})",
        value=round(100 * figure.mean, 2),
        model=f"mien, {row} ({cut.backbone}, {cut.weights})",
        protocol=f"{found.metrics[MAIN]}; {figure.seeds} seed{'s' * (figure.seeds > 1)}; epoch by validation people",
        spread=spread_in_words(figure),
        n=figure.n,
        code=f"mien {mien.__version__}",
    )


def folds_in_words(result: TableResult, *, adjective: bool = False) -> str:
    """``10 folds``, as an adjective ``10-fold``; or which of them were made: ``folds 0, 4 of 10``."""
    made = result.runs.folds
    if len(made) == made[0].of:
        return f"{len(made)}-fold" if adjective else f"{len(made)} folds"
    numbers = ", ".join(str(fold.number) for fold in made)
    return f"fold{'s' * (len(made) > 1)} {numbers} of {made[0].of}"


def spread_in_words(figure: Figure) -> str:
    """A figure's spread in per cent points."""
    parts = []
    if figure.low is not None and figure.high is not None:
        parts.append(f"95 % interval over {figure.people} people {100 * figure.low:.1f} to {100 * figure.high:.1f}")
    if figure.fold_sd is not None:
        parts.append(f"SD over folds {100 * figure.fold_sd:.1f}")
    if figure.seed_sd is not None:
        parts.append(f"SD over seeds {100 * figure.seed_sd:.1f}")
    return ", ".join(parts)


def _published(each: Published, title: str) -> Record:
    ours = each.row != ""
    return Record(
        task_type=TASKS[each.kind][0],
        task=TASKS[each.kind][1],
        data_type=each.data,
        data=title,
        metric_type="accuracy",
        metric=f"Accuracy ({each.protocol})" if each.protocol else "Accuracy",
        value=each.value,
        model=each.method,
        protocol=each.protocol,
        source=f"{PAPER}; read in {each.source}" if ours else each.source,
    )
