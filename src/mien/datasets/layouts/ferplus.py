"""The votes of ten people a photo of FER2013 (FER+), beside its original table or beside its photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mien.datasets.layout import Entry, Layout
from mien.datasets.layouts.fer2013 import FER2013, PHOTOS, read_faces
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_table
from mien.errors import DataError
from mien.types import Expression

TABLE = "ferplus.csv"
"""The table that names the votes of each photo by its path."""

MOST_DIFFERENT = 60.0
"""Largest mean squared difference of the pixels at which a row of the table counts as the photo's."""

_NEITHER = ("unknown", "nf")
ANSWERS = (*(expression.value for expression in Expression), *_NEITHER)
"""What people could answer: the columns of a table of votes."""

_PARTS = {"training": "train", "publictest": "public-test", "privatetest": "private-test"}


def votes_of(row: Mapping[str, str]) -> dict[str, int] | str:
    """The votes that count of a row of FER+, or a sentence that says why the photo has none.

    Single votes are dropped, as outliers, before anything else. So do the authors of FER+ in the reader that they
    published (github.com/microsoft/FERPlus). A photo is left out when more people said "unknown" or "no face" (NF) than
    any one expression; otherwise these votes are dropped.

    >>> votes_of(dict.fromkeys(ANSWERS, "0") | {"anger": "5", "fear": "3", "sadness": "1", "nf": "1"})
    {'fear': 3, 'anger': 5}
    >>> votes_of(dict.fromkeys(ANSWERS, "0") | {"anger": "4", "unknown": "6"})
    'most of its votes are for "unknown" or "no face"'
    """
    try:
        counts = {name: int(row[name]) for name in ANSWERS if row[name]}
    except ValueError:
        return "its votes are no numbers"
    if not counts:
        return "it has no votes"
    several = {name: count for name, count in counts.items() if count > 1}
    named = {name: count for name, count in several.items() if name not in _NEITHER}
    if not several:
        return "no two of its votes agree"
    if max(several.values()) > max(named.values(), default=0):
        return 'most of its votes are for "unknown" or "no face"'
    return named


def _entry(face: Entry, part: str, row: Mapping[str, str]) -> Entry | Skipped:
    """A photo with its votes; one without stays known by its pixels, since it is still a photo of its part."""
    votes = votes_of(row)
    if isinstance(votes, str):
        return Skipped(face.name, votes, face.source, part)
    return Entry(face.name, face.source, part=part, votes=votes)


def _part(word: str) -> str:
    return _PARTS.get(word.lower(), word)


def _original_entries(root: Path) -> Iterator[Entry | Skipped]:
    faces = list(read_faces(root / "fer2013.csv"))
    rows = [row for _, row in read_table(root / "fer2013new.csv", ANSWERS)]
    if len(faces) != len(rows):
        raise DataError(f"fer2013.csv has {len(faces)} rows and fer2013new.csv {len(rows)}, where as many are expected")
    for face, row in zip(faces, rows, strict=True):
        yield face if isinstance(face, Skipped) else _entry(face, _part(face.part), row)


def find_votes(root: Path) -> Path:
    """The table of votes inside a folder of FER2013's photos, or beside it.

    Raises:
        DataError: there is none.
    """
    for path in (root / TABLE, _photos(root) / TABLE, _photos(root).parent / TABLE):
        if path.is_file():
            return path
    raise DataError(f"there is no {TABLE}, neither in it nor beside it")


def read_votes(table: Path) -> dict[str, dict[str, str]]:
    """The rows of a table of votes, by the photos' names inside their folder.

    Raises:
        DataError: it cannot be read or lacks a column.
    """
    return {row["path"].removeprefix("fer2013/"): row for _, row in read_table(table, ("path", "split", *ANSWERS))}


def _photos(root: Path) -> Path:
    return root / "fer2013" if (root / "fer2013").is_dir() else root


def _photo_entries(root: Path) -> Iterator[Entry | Skipped]:
    folder, table = _photos(root), find_votes(root)
    rows = read_votes(table)
    for photo in PHOTOS(folder):
        if photo.name not in rows:
            yield photo if isinstance(photo, Skipped) else Skipped(photo.name, f"{table.name} does not name it")
    for name, row in rows.items():
        yield _matched(Entry(name, folder / name), row)


def _matched(photo: Entry, row: Mapping[str, str]) -> Entry | Skipped:
    part = _part(row["split"])
    try:
        difference = float(row.get("pixel_mse") or 0)
    except ValueError:
        return Skipped(photo.name, "its pixel_mse is no number", photo.source, part)
    if difference > MOST_DIFFERENT:
        return Skipped(photo.name, f"its votes may be another photo's (pixel_mse {difference:g})", photo.source, part)
    return _entry(photo, part, row)


FER_PLUS = Layout(
    name="fer-plus",
    title="FER+",
    what="FER2013 with the votes of ten people a photo, eight expressions",
    tree="""
fer2013.csv      (emotion,pixels,Usage)
fer2013new.csv   (Usage,Image name,neutral,...,contempt,unknown,NF; its rows are those of fer2013.csv)
""",
    entries=_original_entries,
    expressions={expression.value: expression for expression in Expression},
    licence=f"labels MIT; photos: {FER2013.licence}",
    ask="github.com/microsoft/FERPlus for the labels",
    reference="Barsoum et al., Training deep networks with crowd-sourced label distribution, ICMI 2016",
    unsure="that its authors drop single votes, as remembered from their reader; how many photos are kept is not known",
)

FER2013_VOTES = Layout(
    name="fer2013-votes",
    title="FER2013 with the votes of FER+",
    what="the photos of FER2013 in folders with the votes of ten people each, eight expressions",
    tree=f"""
fer2013/train/<expression>/*.jpg and fer2013/test/<expression>/*.jpg, or these folders without fer2013/
{TABLE}   (inside or beside that folder: path, such as fer2013/train/angry/Training_1.jpg; split, as Training or
              PublicTest; neutral,...,contempt,unknown,NF; and, if known, pixel_mse of the photo and FER+'s)
""",
    entries=_photo_entries,
    expressions=FER_PLUS.expressions,
    licence=FER_PLUS.licence,
    ask=f"{FER2013.ask}; {FER_PLUS.ask}",
    reference=FER_PLUS.reference,
    unsure=FER_PLUS.unsure,
)
