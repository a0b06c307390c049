"""CK+ (Lucey et al., 2010): sequences from a neutral face to the peak of an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mien.datasets.labels import codes
from mien.datasets.layout import Entry, Frames, Layout, Official
from mien.datasets.paths import IMAGE, Files
from mien.datasets.samples import Skipped
from mien.errors import DataError
from mien.files import walk
from mien.types import Expression

_FRAMES = Files((rf"(?P<identity>S\d{{3}})/\d{{3}}/S\d{{3}}_\d{{3}}_(?P<frame>\d{{8}}){IMAGE}",))
_LABEL = re.compile(r"(?P<person>S\d{3})_(?P<session>\d{3})_\d{8}_emotion\.txt", re.IGNORECASE)


def _entries(root: Path) -> Iterator[Entry | Skipped]:
    found = list(_FRAMES(root))
    labels: dict[str, str] = {}
    for path in walk(root):
        if match := _LABEL.fullmatch(path.name):
            try:
                labels[f"{match['person']}/{match['session']}".upper()] = _read_label(path)
            except (OSError, ValueError) as error:
                yield Skipped(path.relative_to(root).as_posix(), f"its label cannot be read ({error})")
    if not labels:
        raise DataError("it holds frames but no label file S..._emotion.txt")
    for item in found:
        if isinstance(item, Entry):
            yield replace(item, expression=labels.get(item.sequence.upper(), ""))
        else:
            yield item


def _read_label(path: Path) -> str:
    """The code in a file that holds one number, written ``   3.0000000e+00``."""
    number = float(path.read_text(encoding="ascii"))
    if not number.is_integer():
        raise ValueError(f"{number} is no code")
    return str(int(number))


CK_PLUS = Layout(
    name="ck-plus",
    title="CK+",
    what="posed and some spontaneous expressions, frontal, from neutral to peak, mostly grey 640 x 490",
    tree="""
cohn-kanade-images/S005/001/S005_001_00000011.png   (person, session, frame)
Emotion/S005/001/S005_001_00000011_emotion.txt      (one number such as 3.0000000e+00; 327 of 593 sequences have it)
""",
    entries=_entries,
    expressions=codes(
        Expression.NEUTRAL,
        Expression.ANGER,
        Expression.CONTEMPT,
        Expression.DISGUST,
        Expression.FEAR,
        Expression.HAPPINESS,
        Expression.SADNESS,
        Expression.SURPRISE,
    ),
    subjects="the folder S and three digits",
    # The first frame as neutral, the last three as the expression: comments in the official code of Ming et al., 2019.
    frames=Frames(neutral=1, peak=3),
    official=Official(
        images=1_308,
        people=118,
        sequences=327,
        expressions={
            Expression.NEUTRAL: 327,
            Expression.HAPPINESS: 3 * 69,
            Expression.SADNESS: 3 * 28,
            Expression.SURPRISE: 3 * 83,
            Expression.FEAR: 3 * 25,
            Expression.DISGUST: 3 * 59,
            Expression.ANGER: 3 * 45,
            Expression.CONTEMPT: 3 * 18,
        },
    ),
    licence="signed agreement, research only; only a few people, named in it, may be printed",
    ask="the Affect Analysis Group, University of Pittsburgh (jeffcohn.net/Resources)",
    reference="Lucey et al., The Extended Cohn-Kanade Dataset, CVPR workshops 2010",
    unsure="the count of sequences of each expression is from memory of the paper; it adds up to the official 327",
)
