"""The tables by name."""

from __future__ import annotations

import difflib

from mien.errors import RecipeError
from mien.reproduction.table import Kind, Source, Table
from mien.types import Expression

OULU_CASIA = Source(
    "oulu-casia",
    "Oulu-CASIA",
    "oulu-casia",
    part="vl-strong",
    # The official code's list of six; neutral frames are references of pairs only.
    classes=tuple(e for e in Expression if e not in (Expression.NEUTRAL, Expression.CONTEMPT)),
)
CK_PLUS = Source("ck-plus", "CK+", "ck-plus", classes=tuple(Expression))
"""With neutral and contempt, as the official code's reader has labels 0 to 7."""

LFW = Source("lfw", "LFW", "lfw")
YTF = Source("ytf", "YouTube Faces", "ytf", frames=10)
LFW_EXPRESSIONS = Source(
    "lfw-expressions",
    "lfw-expressions",
    "index",
    class_photos=30,
    person_photos=4,
    person_expressions=2,
    most_photos=30,
    drop_repeats=True,
    neutral_answers=True,
    views=3,
)
LONDON = Source(
    "london",
    "Face Research Lab London Set",
    "london",
    class_photos=30,
    neutral_answers=True,
    views=3,
    printable=True,  # CC BY 4.0
)

_ALL = (
    Table("oulu-expression", "Expression recognition on Oulu-CASIA", (Kind.EXPRESSION,), (OULU_CASIA,)),
    Table("oulu-verification", "Face verification with expression on Oulu-CASIA", (Kind.PAIRS,), (OULU_CASIA,)),
    Table("ck-expression", "Expression recognition on CK+", (Kind.EXPRESSION,), (CK_PLUS,)),
    Table("ck-verification", "Face verification with expression on CK+", (Kind.PAIRS,), (CK_PLUS,)),
    Table(
        "authentication",
        "Authentication: the same person and the expression asked for",
        (Kind.AUTHENTICATION,),
        (OULU_CASIA, CK_PLUS, LFW_EXPRESSIONS, LONDON),
    ),
    Table("lfw-verification", "Face verification on LFW", (Kind.OFFICIAL_PAIRS,), (LFW,), (OULU_CASIA, CK_PLUS)),
    Table("ytf-verification", "Video verification on YTF", (Kind.OFFICIAL_PAIRS,), (YTF,), (OULU_CASIA, CK_PLUS)),
    Table("lfw-expressions-expression", "Expression recognition on open data", (Kind.EXPRESSION,), (LFW_EXPRESSIONS,)),
    Table(
        "lfw-expressions-verification",
        "Face verification with expression on open data",
        (Kind.PAIRS, Kind.AUTHENTICATION),
        (LFW_EXPRESSIONS,),
    ),
    Table(
        "london",
        "Expression, verification and authentication on the London set",
        (Kind.EXPRESSION, Kind.PAIRS, Kind.AUTHENTICATION),
        (LONDON,),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""All tables by name."""


def find_table(name: str) -> Table:
    """The table of that name.

    Raises:
        RecipeError: there is none.
    """
    if name not in TABLES:
        near = difflib.get_close_matches(name, TABLES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(TABLES)}"
        raise RecipeError(f"there is no table {name}; {hint}")
    return TABLES[name]
