"""Verification sets as archives of encoded pairs, in the form of InsightFace's ``.bin`` files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mien.datasets.layout import Entry, Layout, Official
from mien.datasets.pairs import Pair
from mien.datasets.pickles import read_bin
from mien.errors import DataError

FOLDS = 10


def _archive(file: str, root: Path) -> Path:
    path = root / file if root.is_dir() else root
    if not path.is_file():
        raise DataError(f"there is no {file}")
    return path


def _entries(file: str, root: Path) -> Iterator[Entry]:
    path = _archive(file, root)
    images, _ = read_bin(path)
    for number, image in enumerate(images):
        yield Entry(f"{path.stem}/{number:05d}", image)


def _pairs(file: str, root: Path) -> tuple[Pair, ...]:
    """The pairs in ten folds of neighbours, as the archives' makers evaluate them."""
    _, same = read_bin(_archive(file, root))
    return tuple(
        Pair(f"{2 * number:05d}", f"{2 * number + 1:05d}", flag, number * FOLDS // len(same))
        for number, flag in enumerate(same)
    )


def _layout(name: str, file: str, title: str, what: str, pairs: int, reference: str) -> Layout:
    return Layout(
        name=name,
        title=title,
        what=f"{what}; {pairs:,} pairs, aligned 112 x 112, without names",
        tree=f"{file}   (a pickle of a list of encoded images and a list of as many flags as pairs; or give the file)",
        entries=partial(_entries, file),
        pairs=partial(_pairs, file),
        official=Official(images=2 * pairs, pairs=pairs),
        licence="research, as the set that the pairs are from",
        ask="the evaluation sets of InsightFace's training archives (github.com/deepinsight/insightface)",
        reference=reference,
        unsure="the order of the folds is that of the pairs, as InsightFace's evaluation divides them",
    )


ARCHIVES = (
    _layout("lfw-bin", "lfw.bin", "LFW (archive)", "press photos", 6_000, "Huang et al., 2007"),
    _layout("cfp-fp", "cfp_fp.bin", "CFP-FP", "frontal against profile", 7_000, "Sengupta et al., WACV 2016"),
    _layout("agedb-30", "agedb_30.bin", "AgeDB-30", "30 years apart", 6_000, "Moschoglou et al., CVPR workshops 2017"),
    _layout("calfw", "calfw.bin", "CALFW", "LFW's people at other ages", 6_000, "Zheng, Deng and Hu, 2017"),
    _layout("cplfw", "cplfw.bin", "CPLFW", "LFW's people in other poses", 6_000, "Zheng and Deng, 2018"),
)
