"""Authentication by expression: the joint decision by kind of attack, beside the paper's product of two accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.expression_pairs import ExpressionPairs, PairKind
from mien.evaluation.intervals import Interval, bootstrap_people, percentile_interval, wilson
from mien.evaluation.roc import SortedPairs
from mien.evaluation.verification import fold_accuracies

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

PAPER_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How often something was accepted.

    Attributes:
        accepted: how many.
        n: of how many.
        people: how many people made them.
        interval: of the rate, over people.
    """

    accepted: int
    n: int
    people: int
    interval: Interval

    @property
    def rate(self) -> float:
        """The share accepted: 1 - FRR for genuine answers, FAR for attacks."""
        return self.accepted / self.n


@dataclass(frozen=True, slots=True)
class AuthenticationResult:
    """How well same person *and* expression asked for were told from anything else.

    Attributes:
        kinds: acceptance by kind of pair; kinds without a pair are absent.
        attacks: acceptance of the three attacks together; depends on their mixture, here as many of each as there are.
        accuracy: share of pairs decided rightly, jointly.
        pair_accuracy: of the paper's first factor: the same person or not, whatever the expression; threshold from the
            other nine of ten blocks of pairs, as in the official code; genuine and impostor pairs weigh the same.
        expression_accuracy: its second factor: share of labelled photos whose top expression is right.
        product: the paper's authentication score: the two multiplied. It is no rate of any decision: see ``accuracy``.
        threshold: the distance that decided jointly.
    """

    kinds: dict[PairKind, Acceptance]
    attacks: Acceptance
    accuracy: float
    pair_accuracy: float
    expression_accuracy: float
    product: float
    threshold: float

    @property
    def frr(self) -> float:
        """Share of genuine answers refused."""
        return 1 - self.kinds[PairKind.GENUINE].rate

    @property
    def far(self) -> float:
        """The worst kind of attack's share accepted: an attacker chooses the kind."""
        return max(value.rate for kind, value in self.kinds.items() if kind is not PairKind.GENUINE)


def evaluate_authentication(
    embeddings: NDArray[np.floating],
    scores: NDArray[np.floating],
    expressions: Sequence[str | None],
    names: Sequence[str],
    pairs: ExpressionPairs,
    *,
    threshold: float,
    probability: float = 0.0,
    margin: float = 0.0,
    bootstrap: int = 1000,
    seed: int = 0,
) -> AuthenticationResult:
    """Decide each pair jointly, and compute the paper's score on the same photos.

    A pair is accepted when the distance is at most ``threshold``, and the expression asked for has at least
    ``probability`` and leads all others by ``margin``; with both 0 it is the top one.

    Args:
        embeddings: ``(N, D)``.
        scores: ``(N, C)`` expression probabilities.
        expressions: ``(N,)`` labels; None or empty is unlabelled.
        names: the C classes of ``scores``.
        pairs: see `mien.evaluation.make_expression_pairs`.
        threshold: Euclidean distance; choose it on other data.
        probability: see above.
        margin: see above.
        bootstrap: how often to draw people for the intervals.
        seed: seed of the draws.

    Raises:
        DataError: the arrays do not fit, an expression asked for is no class, or nobody else is shown.
    """
    points, probabilities = np.asarray(embeddings, np.float64), np.asarray(scores, np.float64)
    if not len(points) == len(probabilities) == len(expressions) or probabilities.shape[1:] != (len(names),):
        raise DataError(
            f"embeddings {points.shape}, scores {probabilities.shape} and {len(expressions)} labels do not fit; "
            f"give (N, D), (N, {len(names)}) and N"
        )
    if missing := [name for name in pairs.names if name not in names]:
        raise DataError(f"{missing[0]} was asked for and is no class of the scores; it must be one of {list(names)}")
    distances = np.linalg.norm(points[pairs.reference] - points[pairs.probe], axis=1)
    wanted = np.array([list(names).index(name) for name in pairs.names])[pairs.required]
    accepted = (distances <= threshold) & shown(probabilities[pairs.probe], wanted, probability, margin)
    genuine = pairs.kind == 0
    if (pairs.person_reference == pairs.person_probe).all():
        raise DataError("no pair shows another person, so there is no attack to measure; give photos of several people")
    pair_accuracy = _pair_accuracy(distances, pairs)
    expression_accuracy = _expression_accuracy(probabilities, expressions, names)

    def acceptance(chosen: Booleans) -> Acceptance:
        return rate_over_people(
            accepted[chosen], pairs.person_reference[chosen], pairs.person_probe[chosen], bootstrap=bootstrap, seed=seed
        )

    return AuthenticationResult(
        kinds={kind: acceptance(pairs.kind == k) for k, kind in enumerate(PairKind) if (pairs.kind == k).any()},
        attacks=acceptance(~genuine),
        accuracy=float(np.mean(accepted == genuine)),
        pair_accuracy=pair_accuracy,
        expression_accuracy=expression_accuracy,
        product=pair_accuracy * expression_accuracy,
        threshold=threshold,
    )


def shown(scores: Floats, wanted: Integers, probability: float, margin: float) -> Booleans:
    """Whether each row of ``(P, C)`` scores shows ``wanted (P,)``; of equal scores the first is on top."""
    rows = np.arange(len(scores))
    asked = scores[rows, wanted]
    others = scores.copy()
    others[rows, wanted] = -np.inf
    ahead = asked - others.max(axis=1) >= margin
    on_top = scores.argmax(axis=1) == wanted
    return np.asarray((asked >= probability) & ahead & on_top)


def rate_over_people(
    accepted: Booleans, claimed: Integers, actual: Integers, *, bootstrap: int = 1000, seed: int = 0
) -> Acceptance:
    """An acceptance rate with its interval over people.

    Where all or none are accepted, drawing people again tells nothing; then Wilson's interval is given, with the people
    claimed as independent items, which is wider than with the pairs.

    Args:
        accepted: ``(P,)``.
        claimed: ``(P,)`` number of the person whom each answer claims to be.
        actual: ``(P,)`` number of the person who is shown.
        bootstrap: how often to draw people.
        seed: seed of the draws.
    """
    n, hits = len(accepted), int(accepted.sum())
    people = len(np.unique(claimed))
    if hits in (0, n):
        interval = wilson(people if hits else 0, people)
    else:
        numbers = np.unique(np.concatenate([claimed, actual]), return_inverse=True)[1]
        first, second = numbers[:n], numbers[n:]

        def share(drawn: Integers) -> Floats:
            weights = np.where(first == second, drawn[first], drawn[first] * drawn[second])
            total = weights.sum()
            return np.array([(weights * accepted).sum() / total if total else np.nan])

        replicates = bootstrap_people(share, int(numbers.max()) + 1, replicates=bootstrap, seed=seed)
        interval = percentile_interval(replicates[:, 0])
    return Acceptance(hits, n, people, interval)


def _pair_accuracy(distances: Floats, pairs: ExpressionPairs) -> float:
    same = pairs.person_reference == pairs.person_probe
    blocks = np.arange(len(pairs)) * PAPER_FOLDS // len(pairs)
    return float(np.mean([fold.accuracy for fold in fold_accuracies(SortedPairs(distances, same), blocks)]))


def _expression_accuracy(scores: Floats, expressions: Sequence[str | None], names: Sequence[str]) -> float:
    """Over all photos whose label is a class; NaN when there is none."""
    positions = {name: k for k, name in enumerate(names)}
    labels = np.array([positions.get(name, -1) if name else -1 for name in expressions])
    known = labels >= 0
    return float(np.mean(scores[known].argmax(axis=1) == labels[known])) if known.any() else float("nan")
