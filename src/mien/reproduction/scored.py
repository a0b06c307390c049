"""What a protocol makes of a row's answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien.evaluation import Quirk
from mien.evaluation.pairs import encode_people
from mien.reproduction.figures import Figure, Items
from mien.reproduction.trials import ExpressionTrial


@dataclass(frozen=True, slots=True)
class Mistake:
    """A bad error.

    Attributes:
        photos: names of the photos.
        text: what was said of them.
    """

    photos: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A row's figures by a protocol.

    Attributes:
        figures: by metric; None where there was nothing to count. The first is the main one.
        items: of the main figure, by fold.
        quirks: the main figure under quirks of the official code.
        confusion: ``(C, C)`` counts over all folds and seeds, by label and prediction; None where none was made.
        curve: ``(2, T)`` FAR and TAR of the first seed; None likewise.
        mistakes: the worst errors of the first seed.
    """

    figures: dict[str, Figure | None]
    items: list[Items]
    quirks: dict[Quirk, Figure] = field(default_factory=dict)
    confusion: NDArray[np.int64] | None = None
    curve: NDArray[np.float64] | None = None
    mistakes: tuple[Mistake, ...] = ()


def person_numbers(trial: ExpressionTrial) -> NDArray[np.int64]:
    """``(N,)`` number of each photo's person."""
    return encode_people(trial.people)[0]


WORST = 12
"""So many mistakes are shown."""
