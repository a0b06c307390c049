"""What a calibration reads: a folder of people's photos, or a table of pairs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.errors import DataError
from mien.evaluation import Pairs
from mien.files import walk
from mien.images import IMAGE_SUFFIXES
from mien.types import Expression

LABELS = "labels.csv"

_ANSWERS = {
    **dict.fromkeys(("1", "true", "yes", "same"), True),
    **dict.fromkeys(("0", "false", "no", "different"), False),
}


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo of somebody.

    Attributes:
        path: where it is.
        identity: who it shows.
        expression: which expression, where a table says so.
    """

    path: Path
    identity: str
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """Two photos, and whether they show the same person."""

    first: Path
    second: Path
    same: bool


def read_people(folder: Path) -> list[LabelledPhoto]:
    """Read photos of known people.

    Args:
        folder: with a table ``labels.csv`` of the columns ``path`` (relative to it), ``identity`` and, if wanted,
            ``expression`` (one of mien's names); or else with a subfolder a person.

    Raises:
        DataError: there is neither, or an expression has an unknown name.
    """
    if (folder / LABELS).is_file():
        photos = [
            LabelledPhoto(
                folder / row["path"], row["identity"], _expression(row.get("expression", ""), folder / LABELS)
            )
            for row in _rows(folder / LABELS, ("path", "identity"))
            if row["path"] and row["identity"]
        ]
    else:
        photos = [
            LabelledPhoto(path, path.relative_to(folder).parts[0])
            for path in walk(folder)
            if path.parent != folder and path.suffix.lower() in IMAGE_SUFFIXES
        ]
    if not photos:
        raise DataError(f"{folder} holds neither a {LABELS} with photos nor <person>/<photo> files; give one of them")
    return photos


def read_pairs(table: Path) -> list[PhotoPair]:
    """Read a table of pairs: columns ``a`` and ``b`` (paths, relative to the table) and ``same`` (1 or 0).

    Raises:
        DataError: the table cannot be read, is empty, or an answer is neither yes nor no.
    """
    pairs = []
    for row in _rows(table, ("a", "b", "same")):
        answer = _ANSWERS.get(row["same"].lower())
        if answer is None:
            raise DataError(f"{table} says {row['same']!r} for {row['a']}, {row['b']}; same must be 1 or 0")
        pairs.append(PhotoPair(table.parent / row["a"], table.parent / row["b"], answer))
    if not pairs:
        raise DataError(f"{table} holds no pair; give a row for each, with the columns a, b, same")
    return pairs


def index_pairs(pairs: Sequence[PhotoPair], photos: Sequence[Path]) -> Pairs:
    """Number the pairs' photos, leaving out pairs with a photo that is not among ``photos``.

    Photos that are joined by genuine pairs, one after the other, are of one person; every other photo is somebody else.

    Raises:
        DataError: an impostor pair is of one person by the genuine pairs.
    """
    position = {path: number for number, path in enumerate(photos)}
    kept = [pair for pair in dict.fromkeys(pairs) if pair.first in position and pair.second in position]
    person = _components([(position[p.first], position[p.second]) for p in kept if p.same], len(photos))
    for pair in kept:
        if not pair.same and person[position[pair.first]] == person[position[pair.second]]:
            raise DataError(f"{pair.first} and {pair.second} are given as different people, and as one by other pairs")
    first, second = (np.array([position[path] for path in side], np.int64) for side in _sides(kept))
    return Pairs(
        first=first,
        second=second,
        same=np.array([pair.same for pair in kept], bool),
        fold=np.zeros(len(kept), np.int64),
        person_first=person[first],
        person_second=person[second],
        people=tuple(range(int(person.max(initial=-1)) + 1)),
    )


def _sides(pairs: Sequence[PhotoPair]) -> tuple[list[Path], list[Path]]:
    return [pair.first for pair in pairs], [pair.second for pair in pairs]


def _components(edges: Sequence[tuple[int, int]], count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Number the connected parts of a graph, by union and find."""
    root = list(range(count))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for a, b in edges:
        root[find(a)] = find(b)
    return np.unique([find(node) for node in range(count)], return_inverse=True)[1].astype(np.int64)


def _expression(word: str, table: Path) -> Expression | None:
    try:
        return Expression(word.lower()) if word else None
    except ValueError as error:
        names = ", ".join(Expression)
        raise DataError(f"{table} has the expression {word!r}; the names are: {names}") from error


def _rows(table: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            rows = [{key: value.strip() for key, value in row.items() if isinstance(value, str)} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a CSV table ({error}); check it") from error
    missing = [name for name in required if name not in reader.fieldnames]
    if missing:
        have = ", ".join(reader.fieldnames) or "none"
        raise DataError(f"{table} has no column {missing[0]}; its columns are: {have}")
    return rows
