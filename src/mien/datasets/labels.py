"""From the labels that data sets use to mien's one label space."""

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

FER2013_CODES: tuple[Expression, ...] = (
    Expression.ANGER,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.HAPPINESS,
    Expression.SADNESS,
    Expression.SURPRISE,
    Expression.NEUTRAL,
)
"""The codes 0 to 6 of the ``emotion`` column of FER2013's table."""


def parse_expression(word: str) -> Expression | None:
    """Map a word to an expression; None when it is unknown.

    >>> parse_expression(" Happy "), parse_expression("bored")
    (<Expression.HAPPINESS: 'happiness'>, None)
    """
    return EXPRESSION_NAMES.get(word.strip().lower())
