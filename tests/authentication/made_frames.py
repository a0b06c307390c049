"""Frames as the state machine sees them, made by hand; for the tests of this folder."""

from __future__ import annotations

from mien.authentication import Observation, SeenFace
from mien.types import Box, Expression, ExpressionScores

NAMES = (Expression.NEUTRAL, Expression.HAPPINESS, Expression.SURPRISE)
BOX = Box(100, 100, 200, 220)


def scores(name: Expression, probability: float = 0.9) -> ExpressionScores:
    """The rest is shared evenly."""
    rest = (1 - probability) / (len(NAMES) - 1)
    return ExpressionScores(NAMES, tuple(probability if other is name else rest for other in NAMES))


def seen(name, *, box=BOX, distance=0.1, embedding=(0.0, 0.0), probability=0.9) -> SeenFace:
    return SeenFace(box, embedding, distance, scores(name, probability))


def frames(*shown, start=0.0, step=0.1) -> list[Observation]:
    """A frame for each expression, or tuple of faces, one after the other."""
    return [
        Observation(start + step * k, (seen(what),) if isinstance(what, Expression) else tuple(what))
        for k, what in enumerate(shown)
    ]
