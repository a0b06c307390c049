"""A model card whose front matter holds a table's results in the Hugging Face Hub's model-index form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

import mien
from mien.reports.evaluation_records import Record

_CARD = """---
{front}---
# {title}

{what}

No weights come with this card: the runs' networks are not kept. `{command}` makes them anew, with mien {version}.

| Task | Dataset | Metric | Value | Model |
|---|---|---|---|---|
{rows}

Each record in the front matter names its protocol, the spread of its value and the number of items; `results.json`
beside this card holds everything else.

Embeddings of faces are biometric data (GDPR, BIPA). Inferring emotions of people at work or in education is prohibited
in the EU (AI Act, Article 5(1)(f)).
"""


def write_model_card(path: Path, title: str, what: str, command: str, records: Sequence[Record]) -> None:
    """Write the card.

    Args:
        path: of the Markdown file.
        title: its heading.
        what: a paragraph on what was evaluated.
        command: that repeats it.
        records: our own results; published ones belong to other models' cards.
    """
    front = {
        "library_name": "mien",
        "pipeline_tag": records[0].task_type if records else "image-feature-extraction",
        "tags": ["face-recognition", "facial-expression", "multi-task-learning"],
        "model-index": model_index(records),
    }
    text = _CARD.format(
        front=yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120),
        title=title,
        what=what,
        command=command,
        version=mien.__version__,
        rows="\n".join(f"| {r.task} | {r.data} | {r.metric} | {r.value:.1f} | {r.model} |" for r in records),
    )
    path.write_text(text, encoding="utf-8")


def model_index(records: Sequence[Record]) -> list[dict[str, object]]:
    """The records by model, in the form of the Hub's ``model-index``."""
    models = dict.fromkeys(record.model for record in records)
    return [
        {"name": model, "results": [record.result() for record in records if record.model == model]} for model in models
    ]
