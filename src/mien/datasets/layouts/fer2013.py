"""FER2013 (Goodfellow et al., 2013) in either of its two forms, and the newer labels FER+ (Barsoum et al., 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mien.datasets.labels import EXPRESSION_NAMES, codes
from mien.datasets.layout import Entry, Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_table
from mien.errors import DataError
from mien.images import Pixels
from mien.types import Expression

SIDE = 48

_USAGES = ("training", "publictest", "privatetest")
_PARTS = {"train": 28_709, "public-test": 3_589, "private-test": 3_589}
_VOTES = (*(e.value for e in Expression), "unknown", "nf")
_FOLDERS = Files(
    (
        r"^(?P<part>train|test)/(?P<expression>[^/]+)/(?:[^/]+/)*"
        rf"(?:(?P<part2>Training|PublicTest|PrivateTest)_)?[^/]*{IMAGE}",
    )
)


def _entries(root: Path) -> Iterator[Entry | Skipped]:
    table = root / "fer2013.csv" if root.is_dir() else root
    return _table(table) if table.is_file() else _FOLDERS(root)


def _table(path: Path) -> Iterator[Entry | Skipped]:
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


def _plus_entries(root: Path) -> Iterator[Entry | Skipped]:
    faces = list(_table(root / "fer2013.csv"))
    votes = [row for _, row in read_table(root / "fer2013new.csv", _VOTES)]
    if len(faces) != len(votes):
        raise DataError(
            f"fer2013.csv has {len(faces)} rows and fer2013new.csv {len(votes)}, where as many are expected"
        )
    for face, row in zip(faces, votes, strict=True):
        if isinstance(face, Skipped):
            yield face
            continue
        try:
            word = majority(row)
        except ValueError:
            yield Skipped(face.name, "its votes are no numbers")
            continue
        if word in EXPRESSION_NAMES:
            yield Entry(face.name, face.source, expression=word, part=face.part)


def majority(row: Mapping[str, str]) -> str:
    """The label that more than half of the votes agree on; empty when there is none.

    Single votes are dropped before. The rule "majority" of the reader that its authors published
    (github.com/microsoft/FERPlus), which leaves out photos without one, and those that are no faces or unknown.

    >>> majority({name: "0" for name in _VOTES} | {"anger": "5", "fear": "4", "nf": "1"})
    'anger'
    """
    votes = {name: int(row[name]) for name in _VOTES}
    counted = {name: count for name, count in votes.items() if count > 1}
    best = max(counted, key=counted.__getitem__, default="")
    return best if best and 2 * counted[best] > sum(counted.values()) else ""


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
_LICENCE = "published for a public competition; the rights in the photos are not cleared"

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
    licence=_LICENCE,
    ask="Kaggle, Challenges in Representation Learning: Facial Expression Recognition Challenge",
    reference="Goodfellow et al., Challenges in representation learning, ICONIP 2013",
)

FER_PLUS = Layout(
    name="fer-plus",
    title="FER+",
    what="FER2013 with the votes of ten people a photo, eight expressions",
    tree="""
fer2013.csv      (emotion,pixels,Usage)
fer2013new.csv   (Usage,Image name,neutral,...,contempt,unknown,NF; its rows are those of fer2013.csv)
""",
    entries=_plus_entries,
    expressions={expression.value: expression for expression in Expression},
    parts={"training": "train", "publictest": "public-test", "privatetest": "private-test"},
    licence=f"labels MIT; photos: {_LICENCE}",
    ask="github.com/microsoft/FERPlus for the labels",
    reference="Barsoum et al., Training deep networks with crowd-sourced label distribution, ICMI 2016",
    unsure="the majority rule, as remembered from its authors' reader; how many photos it keeps is not known here",
)
