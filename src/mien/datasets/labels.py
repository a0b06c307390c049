"""From the labels that data sets use to mien's one label space; the tables of one set alone are in its record."""

from __future__ import annotations

from mien.types import Expression

EXPRESSION_NAMES: dict[str, Expression] = {
    **{expression.value: expression for expression in Expression},
    "neutrality": Expression.NEUTRAL,
    "happy": Expression.HAPPINESS,
    "smiling": Expression.HAPPINESS,
    "joy": Expression.HAPPINESS,
    "sad": Expression.SADNESS,
    "surprised": Expression.SURPRISE,
    "fearful": Expression.FEAR,
    "afraid": Expression.FEAR,
    "disgusted": Expression.DISGUST,
    "angry": Expression.ANGER,
    "contemptuous": Expression.CONTEMPT,
}
"""Words for expressions, in lower case, as folders and tables spell them."""

TWO_LETTERS: dict[str, Expression] = {
    "ne": Expression.NEUTRAL,
    "ha": Expression.HAPPINESS,
    "sa": Expression.SADNESS,
    "su": Expression.SURPRISE,
    "fe": Expression.FEAR,
    "af": Expression.FEAR,
    "di": Expression.DISGUST,
    "an": Expression.ANGER,
}
"""The codes in file names of JAFFE (``FE``) and KDEF (``AF`` for the same)."""


def parse_expression(word: str) -> Expression | None:
    """Map a word to an expression; None when it is unknown.

    >>> parse_expression(" Happy "), parse_expression("bored")
    (<Expression.HAPPINESS: 'happiness'>, None)
    """
    return EXPRESSION_NAMES.get(word.strip().lower())


def codes(*expressions: Expression | None, first: int = 0) -> dict[str, Expression | None]:
    """A label table from consecutive numbers.

    >>> codes(Expression.NEUTRAL, None, first=1)
    {'1': <Expression.NEUTRAL: 'neutral'>, '2': None}
    """
    return {str(number): expression for number, expression in enumerate(expressions, start=first)}
