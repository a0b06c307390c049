"""Expressions in photos and films, without names: RAF-DB, AffectNet and SFEW."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.datasets.labels import EXPRESSION_NAMES, codes
from mien.datasets.layout import Entry, Layout, Official
from mien.datasets.paths import IMAGE, Files, find_file
from mien.datasets.samples import Skipped
from mien.datasets.tables import read_table, read_words
from mien.errors import DataError
from mien.types import Expression

_RAF_PHOTOS = Files(
    (
        rf"(?P<part>train|test)/(?P<expression>[1-7])/(?P<key>(?:train|test)_\d+)_aligned{IMAGE}",
        rf"aligned/(?P<key>(?P<part>train|test)_\d+)_aligned{IMAGE}",
        rf"original/(?P<key>(?P<part>train|test)_\d+){IMAGE}",
    )
)
_RAF_TABLE = "list_patition_label.txt"  # sic

_AFFECTNET_PHOTOS = Files((rf"(?P<part>train|val)_set/images/(?P<key>[^/]+){IMAGE}",))
_AFFECTNET_TABLES = {"training.csv": "train", "validation.csv": "val"}
_AFFECTNET_FOLDER = "Manually_Annotated_Images"


def _raf_entries(root: Path) -> Iterator[Entry | Skipped]:
    found = list(_RAF_PHOTOS(root))
    if any(isinstance(item, Entry) and item.expression for item in found):
        yield from found
        return
    table = find_file(root, _RAF_TABLE)
    if table is None:
        raise DataError(f"it holds photos but no {_RAF_TABLE}")
    labels = {Path(words[0]).stem: words[1] for words in read_words(table, 2)}
    for item in found:
        if isinstance(item, Skipped):
            yield item
        elif item.key in labels:
            yield replace(item, expression=labels[item.key])
        else:
            yield Skipped(item.name, f"{_RAF_TABLE} does not name it")


def _affectnet_entries(root: Path) -> Iterator[Entry | Skipped]:
    tables = [(path, part) for name, part in _AFFECTNET_TABLES.items() if (path := find_file(root, name))]
    if not tables:
        for item in _AFFECTNET_PHOTOS(root):
            yield item if isinstance(item, Skipped) else _with_npy(item)
        return
    photos = next((path for path in (*root.glob("*"), *root.glob("*/*")) if path.name == _AFFECTNET_FOLDER), root)
    for table, part in tables:
        for _, row in read_table(table, ("subdirectory_filepath", "expression")):
            name = row["subdirectory_filepath"].replace("\\", "/")
            yield Entry(name, photos / name, expression=row["expression"], part=part)


def _with_npy(entry: Entry) -> Entry | Skipped:
    assert isinstance(entry.source, Path)  # noqa: S101
    path = entry.source.parent.parent / "annotations" / f"{entry.key}_exp.npy"
    try:
        return replace(entry, expression=str(int(np.load(path, allow_pickle=False))))
    except (OSError, ValueError, TypeError, EOFError) as error:
        return Skipped(entry.name, f"its label {path.name} cannot be read ({error})")


RAF_DB = Layout(
    name="raf-db",
    title="RAF-DB (basic)",
    what="faces from the web, seven expressions, aligned 100 x 100",
    tree="""
EmoLabel/list_patition_label.txt     (train_00001.jpg 5)
Image/aligned/train_00001_aligned.jpg, or else Image/original/train_00001.jpg
or train/5/train_00001_aligned.jpg and test/5/..., without the list
""",
    entries=_raf_entries,
    expressions=codes(
        Expression.SURPRISE,
        Expression.FEAR,
        Expression.DISGUST,
        Expression.HAPPINESS,
        Expression.SADNESS,
        Expression.ANGER,
        Expression.NEUTRAL,
        first=1,
    ),
    official=Official(
        images=15_339,
        expressions={
            Expression.NEUTRAL: 2_524 + 680,
            Expression.HAPPINESS: 4_772 + 1_185,
            Expression.SADNESS: 1_982 + 478,
            Expression.SURPRISE: 1_290 + 329,
            Expression.FEAR: 281 + 74,
            Expression.DISGUST: 717 + 160,
            Expression.ANGER: 705 + 162,
        },
        parts={"train": 12_271, "test": 3_068},
    ),
    licence="non-commercial research",
    ask="whdeng.cn/RAF, Beijing University of Posts and Telecommunications",
    reference="Li, Deng and Du, Reliable crowdsourcing and deep locality-preserving learning, CVPR 2017",
    unsure="the count of each expression, from memory (the sums are right), and the form without the list",
)

AFFECTNET = Layout(
    name="affectnet",
    title="AffectNet",
    what="faces from the web, eight expressions, colour",
    tree="""
training.csv, validation.csv                (columns subDirectory_filePath and expression among others)
Manually_Annotated_Images/<folder>/<file>
or train_set/images/0.jpg with train_set/annotations/0_exp.npy, and val_set/...
""",
    entries=_affectnet_entries,
    expressions=codes(
        Expression.NEUTRAL,
        Expression.HAPPINESS,
        Expression.SADNESS,
        Expression.SURPRISE,
        Expression.FEAR,
        Expression.DISGUST,
        Expression.ANGER,
        Expression.CONTEMPT,
        None,  # none
        None,  # uncertain
        None,  # no face
    ),
    official=Official(
        images=291_651,
        expressions={
            Expression.NEUTRAL: 74_874 + 500,
            Expression.HAPPINESS: 134_415 + 500,
            Expression.SADNESS: 25_459 + 500,
            Expression.SURPRISE: 14_090 + 500,
            Expression.FEAR: 6_378 + 500,
            Expression.DISGUST: 3_803 + 500,
            Expression.ANGER: 24_882 + 500,
            Expression.CONTEMPT: 3_750 + 500,
        },
        parts={"train": 287_651, "val": 4_000},
    ),
    licence="signed agreement, research only",
    ask="mohammadmahoor.com/affectnet, University of Denver",
    reference="Mollahosseini, Hasani and Mahoor, AffectNet, IEEE Transactions on Affective Computing 2019",
    unsure="the official counts, from memory of the manually labelled release; later releases lack a few photos",
)

SFEW = Layout(
    name="sfew",
    title="SFEW 2.0",
    what="stills of films, seven expressions, colour",
    tree="Train/<expression>/*.png and Val/<expression>/*.png   (or Train_Aligned_Faces/...; the test has no labels)",
    entries=Files(
        tuple(rf"(?P<part>train|val){folder}/(?P<expression>[^/]+)/[^/]+{IMAGE}" for folder in ("", "_Aligned_Faces")),
        other=r"(?:.*/)?test(?:_aligned_faces)?/.*",
    ),
    expressions={
        word: EXPRESSION_NAMES[word] for word in ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    },
    official=Official(parts={"train": 958, "val": 436}, images=1_394),
    licence="signed agreement, research only",
    ask="the EmotiW challenge, Australian National University",
    reference="Dhall et al., Static facial expression analysis in tough conditions, ICCV workshops 2011; EmotiW 2015",
    unsure="the names of the folders and the counts, from memory of the challenge of 2015",
)
