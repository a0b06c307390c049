"""The paper's pairs: a neutral reference, an expression that is asked for, and four kinds of answer.

"Face verification with facial expression" in the code of Ming et al. (github.com/hengxyz/Dynamic_multi-task-learning):
for every neutral photo and each of happiness and surprise, one photo of each kind. A fold of 8 subjects of Oulu-CASIA,
with 48 references, makes 384 pairs, 96 of each kind. In CK+ not everybody shows everything: a fold with 28 references
makes 206, 38 of the first kind and 56 of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.pairs import Labels, encode_people

Integers = NDArray[np.int64]

REQUIRED = ("happiness", "surprise")
"""The expressions that the paper asks for."""

NEUTRAL = "neutral"


class PairKind(StrEnum):
    """What the answer to a request is; only the first should be accepted."""

    GENUINE = "right person, right expression"
    WRONG_EXPRESSION = "right person, wrong expression"
    WRONG_PERSON = "wrong person, right expression"
    BOTH_WRONG = "wrong person, wrong expression"


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionPairs:
    """Requests and the photos shown in answer.

    Attributes:
        reference: ``(P,)`` position of the neutral reference.
        probe: ``(P,)`` position of the photo shown.
        required: ``(P,)`` position in ``names`` of the expression asked for.
        kind: ``(P,)`` position in `PairKind`.
        person_reference: ``(P,)`` who is on the reference, as a position in ``people``.
        person_probe: ``(P,)`` who is on the photo shown.
        names: the expressions that were asked for.
        people: all the people, sorted.
    """

    reference: Integers
    probe: Integers
    required: Integers
    kind: Integers
    person_reference: Integers
    person_probe: Integers
    names: tuple[str, ...]
    people: tuple[str | int, ...]

    def __len__(self) -> int:
        return len(self.reference)

    def counts(self) -> dict[PairKind, int]:
        """How many pairs there are of each kind."""
        return {kind: int((self.kind == k).sum()) for k, kind in enumerate(PairKind)}


def make_expression_pairs(
    identities: Labels,
    expressions: Sequence[str | None],
    *,
    required: Sequence[str] = REQUIRED,
    neutral_answers: bool = True,
    seed: int = 0,
) -> ExpressionPairs:
    """Draw one photo of each kind for each neutral photo and expression asked for, where there is one.

    "Another expression" is any label but the one asked for, neutral among them, and never the reference itself. Of
    other people first the person is drawn, then the photo, so that nobody with many photos stands for all impostors.

    Args:
        identities: ``(N,)`` a name or number for each photo.
        expressions: ``(N,)`` labels; None or empty is unlabelled.
        required: the expressions to ask for.
        neutral_answers: whether neutral is another expression; the official pair lists hold no neutral answers.
        seed: seed of the draws.

    Raises:
        DataError: the lists differ in length, or there is no neutral photo, or nobody shows what is asked for.
    """
    if len(identities) != len(expressions):
        raise DataError(f"{len(identities)} identities do not fit {len(expressions)} labels; give one of each a photo")
    numbers, people = encode_people(identities)
    labels = np.array([name or "" for name in expressions])
    usable = (numbers >= 0) & (labels != "")
    answers = usable if neutral_answers else usable & (labels != NEUTRAL)
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    for reference in np.flatnonzero(usable & (labels == NEUTRAL)).tolist():
        own = numbers == numbers[reference]
        for k, name in enumerate(required):
            shown = labels == name
            for kind, candidates in enumerate((own & shown, own & ~shown, ~own & shown, ~own & ~shown)):
                probe = _draw(np.flatnonzero(candidates & answers), numbers, reference, rng)
                if probe is not None:
                    rows.append((reference, probe, k, kind))
    if not any(kind == 0 for *_, kind in rows):
        raise DataError(
            f"nobody has a neutral photo and one of {', '.join(required)}; "
            "give identities and expressions of such photos"
        )
    references, probes, asked, kinds = np.array(rows, np.int64).T
    return ExpressionPairs(
        references, probes, asked, kinds, numbers[references], numbers[probes], tuple(required), people
    )


def _draw(candidates: Integers, numbers: Integers, reference: int, rng: np.random.Generator) -> int | None:
    """A person, then a photo of theirs."""
    candidates = candidates[candidates != reference]
    if not len(candidates):
        return None
    person = rng.choice(np.unique(numbers[candidates]))
    return int(rng.choice(candidates[numbers[candidates] == person]))
