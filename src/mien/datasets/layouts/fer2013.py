"""FER2013 (Goodfellow et al., 2013) in either of its two forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.datasets.labels import EXPRESSION_NAMES, codes
from mien.datasets.layout import Entry, Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_table
from mien.images import Pixels
from mien.types import Expression

SIDE = 48

_USAGES = ("training", "publictest", "privatetest")
_PARTS = {"train": 28_709, "public-test": 3_589, "private-test": 3_589}
PHOTOS = Files(
    (
        r"^(?P<part>train|test)/(?P<expression>[^/]+)/(?:[^/]+/)*"
        rf"(?:(?P<part2>Training|PublicTest|PrivateTest)_)?[^/]*{IMAGE}",
    )
)
"""Finds the photos where they lie in folders of expressions."""


def _entries(root: Path) -> Iterator[Entry | Skipped]:
    table = root / "fer2013.csv" if root.is_dir() else root
    return read_faces(table) if table.is_file() else PHOTOS(root)


def read_faces(path: Path) -> Iterator[Entry | Skipped]:
    """The rows of the original table.

    Raises:
        DataError: it cannot be read or lacks a column.
    """
    for line, row in read_table(path, ("emotion", "pixels", "usage")):
        name = f"{path.name}:{line:06d}"
        try:
            yield Entry(name, _parse_pixels(row["pixels"]), expression=row["emotion"], part=_usage(row["usage"]))
        except ValueError as error:
            yield Skipped(name, f"its row cannot be read ({error})")


def _usage(word: str) -> str:
    if word.lower() not in _USAGES:
        raise ValueError(f"its usage {word!r} is unknown")
    return word


def _parse_pixels(text: str) -> Pixels:
    values = np.array(text.split(), dtype=np.int64)
    if values.size != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        raise ValueError(f"expected {SIDE * SIDE} pixels of 0 to 255")
    return np.repeat(values.astype(np.uint8).reshape(SIDE, SIDE, 1), 3, axis=2)


_CODES = codes(
    Expression.ANGER,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.HAPPINESS,
    Expression.SADNESS,
    Expression.SURPRISE,
    Expression.NEUTRAL,
)
_NAMES = {name: value for name, value in EXPRESSION_NAMES.items() if value is not Expression.CONTEMPT}

FER2013 = Layout(
    name="fer2013",
    title="FER2013",
    what="faces from the web, seven expressions, loose crops, grey 48 x 48",
    tree="""
train/<expression>/*.jpg and test/<expression>/*.jpg   (test files named PublicTest_... or PrivateTest_...)
or fer2013.csv with the columns emotion,pixels,Usage
""",
    entries=_entries,
    expressions={**_NAMES, **_CODES},
    # `test` may mix both test parts, which the beginnings of the file names tell apart.
    parts={
        "training": "train",
        "publictest": "public-test",
        "privatetest": "private-test",
        **{f"train-{usage}": "train" for usage in _USAGES},
        "test-training": "train",
        "test-publictest": "public-test",
        "test-privatetest": "private-test",
    },
    official=Official(
        images=35_887,
        expressions={
            Expression.NEUTRAL: 6_198,
            Expression.HAPPINESS: 8_989,
            Expression.SADNESS: 6_077,
            Expression.SURPRISE: 4_002,
            Expression.FEAR: 5_121,
            Expression.DISGUST: 547,
            Expression.ANGER: 4_953,
        },
        parts=_PARTS,
    ),
    licence="published for a public competition; the rights in the photos are not cleared",
    ask="Kaggle, Challenges in Representation Learning: Facial Expression Recognition Challenge",
    reference="Goodfellow et al., Challenges in representation learning, ICONIP 2013",
)
