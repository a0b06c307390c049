"""A user's own photos: a table ``labels.csv``, or a folder a person."""

from __future__ import annotations

from pathlib import Path

from mien.datasets.folders import image_files
from mien.datasets.labels import parse_expression
from mien.datasets.samples import Sample, SampleSet, Skipped, make_sample_set
from mien.datasets.tables import read_table
from mien.errors import DataError

TABLE = "labels.csv"


def read_index(root: Path) -> SampleSet:
    """Read photos with identities, expressions or both.

    Args:
        root: a folder with ``labels.csv``, or that file. Its columns are ``path`` (relative to the file) and any of
            ``identity``, ``expression`` and ``split``; an empty field is a missing label. Without such a table, a
            folder ``<person>/*.jpg``: every photo gets the name of its topmost folder as identity.

    Raises:
        DataError: there is neither a table nor a photo in a folder of a person.
    """
    table = root / TABLE if root.is_dir() else root
    if table.is_file():
        return _read_labels(table)
    samples = [
        Sample(path.relative_to(root).as_posix(), path, identity=path.relative_to(root).parts[0])
        for path in image_files(root)
        if path.parent != root
    ]
    if not samples:
        raise DataError(f"{root} holds neither {TABLE} nor <person>/<photo> files")
    return make_sample_set(root.name, samples)


def _read_labels(table: Path) -> SampleSet:
    samples, skipped, seen = [], [], set[str]()
    for line, row in read_table(table, ("path",)):
        name = row["path"]
        word = row.get("expression", "")
        expression = parse_expression(word)
        if not name or name in seen:
            skipped.append(Skipped(f"{table.name}:{line}", f"its path {name!r} is empty or was seen before"))
        elif word and expression is None:
            skipped.append(Skipped(name, f"its expression {word!r} is unknown"))
        else:
            source = table.parent / name
            identity, split = row.get("identity") or None, row.get("split") or None
            samples.append(Sample(name, source, identity=identity, expression=expression, split=split))
        seen.add(name)
    return make_sample_set(table.parent.name, samples, skipped)
