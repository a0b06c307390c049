"""CelebA (Liu et al., 2015): the one large set with names and an expression, of a sort: smiling or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mien.datasets.layout import Entry, Layout, Official
from mien.datasets.paths import IMAGE, Files, find_file
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_words
from mien.errors import DataError
from mien.types import Expression

_PHOTOS = Files((rf"img_align_celeba(?:_png)?/(?P<key>\d{{6}}){IMAGE}", rf"img_celeba/(?P<key>\d{{6}}){IMAGE}"))


def _entries(root: Path) -> Iterator[Entry | Skipped]:
    photos = list(_PHOTOS(root))
    smiling = _smiling(_table(root, "list_attr_celeba.txt"))
    people = _column(_table(root, "identity_CelebA.txt"))
    partition = find_file(root, "list_eval_partition.txt")
    parts = _column(partition) if partition else {}
    for item in photos:
        if isinstance(item, Skipped):
            yield item
        elif item.key not in smiling or item.key not in people:
            yield Skipped(item.name, "the tables do not name it")
        else:
            yield replace(item, identity=people[item.key], expression=smiling[item.key], part=parts.get(item.key, ""))


def _table(root: Path, name: str) -> Path:
    path = find_file(root, name)
    if path is None:
        raise DataError(f"it holds photos but no {name}")
    return path


def _smiling(path: Path) -> dict[str, str]:
    """The column of one attribute; the first line is a count, the second the 40 names."""
    lines = list(read_words(path, 1))
    if len(lines) < 2 or "Smiling" not in lines[1]:
        raise DataError(f"{path} has no attribute Smiling in its second line")
    column = lines[1].index("Smiling") + 1
    return {Path(words[0]).stem: words[column] for words in lines[2:] if len(words) > column}


def _column(path: Path) -> dict[str, str]:
    return {Path(name).stem: value for name, value in read_words(path, 2)}


CELEBA = Layout(
    name="celeba",
    title="CelebA",
    what="celebrities from the web with 40 attributes, of which Smiling is read, aligned 178 x 218",
    tree="""
img_align_celeba/000001.jpg   (or img_celeba/000001.jpg)
list_attr_celeba.txt          (or Anno/...: a count, 40 names, then 000001.jpg and 40 times 1 or -1)
identity_CelebA.txt           (000001.jpg 2880)
list_eval_partition.txt       (optional: 000001.jpg and 0, 1 or 2)
""",
    entries=_entries,
    expressions={"1": Expression.HAPPINESS, "-1": None},  # who does not smile need not be neutral
    subjects="the number in identity_CelebA.txt",
    parts={"0": "train", "1": "val", "2": "test"},
    official=Official(images=202_599, people=10_177, parts={"train": 162_770, "val": 19_867, "test": 19_962}),
    licence="non-commercial research; the identities on request",
    ask="mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    reference="Liu et al., Deep learning face attributes in the wild, ICCV 2015",
    unsure="the sizes of the parts, from memory (they add up to the official 202,599)",
)
