"""Anything else: photos with a table of labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.datasets.labels import EXPRESSION_NAMES
from mien.datasets.layout import Entry, Layout
from mien.datasets.layouts.identity import FOLDERS
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_table
from mien.errors import DataError

TABLE = "labels.csv"
COLUMNS = ("path", "identity", "expression", "split", "sequence")


def _entries(root: Path) -> Iterator[Entry | Skipped]:
    table = root / TABLE if root.is_dir() else root
    if table.is_file():
        yield from _rows(table)
    elif not root.is_dir() or not any(path.is_dir() for path in root.iterdir()):
        raise DataError(f"it holds neither {TABLE} nor folders of people")
    else:
        yield from FOLDERS.entries(root)


def _rows(table: Path) -> Iterator[Entry | Skipped]:
    seen = set[str]()
    for line, row in read_table(table, ("path",)):
        name = row["path"]
        if not name or name in seen:
            yield Skipped(f"{table.name}:{line}", f"its path {name!r} is empty or was seen before")
            continue
        seen.add(name)
        words = {column: row.get(column, "") for column in COLUMNS}
        yield Entry(
            name=name,
            source=table.parent / name,
            identity=words["identity"],
            expression=words["expression"],
            part=words["split"],
            sequence=words["sequence"],
        )


INDEX = Layout(
    name="index",
    title="labelled photos",
    what="your own photos with a table of labels, or a folder a person",
    tree=f"""
{TABLE}   (the columns path, relative to it, and any of identity, expression, split and sequence; an empty field is a
             missing label)
or, without it, <person>/<photo>.jpg
""",
    entries=_entries,
    expressions=EXPRESSION_NAMES,
    subjects="the column identity, or the topmost folder",
    licence="yours",
    ask="yourself",
    reference="none",
    generic=True,
)
