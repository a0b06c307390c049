"""Authentication: the joint decision by kind of attack, beside the paper's product of two accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.evaluation import PairKind, Quirk, contiguous_blocks, fold_decisions
from mien.evaluation.authentication import shown
from mien.reproduction.figures import Items, figure, spread
from mien.reproduction.rows import RowAnswers
from mien.reproduction.scored import Scored
from mien.reproduction.trials import ExpressionTrial

METRICS = {
    "accuracy": "share of pairs decided rightly: accepted when the distance is at most a threshold from the validation "
    "people and the expression asked for is the most probable one; mean over folds",
    "frr": "right person with the right expression, refused",
    "far_wrong_expression": "right person with another expression, accepted",
    "far_wrong_person": "another person with the right expression, accepted",
    "far_both_wrong": "another person with another expression, accepted",
}
_RATES = dict(zip(PairKind, list(METRICS)[1:], strict=True))


def score_authentication(
    row: RowAnswers, trials: Sequence[ExpressionTrial], classes: Sequence[str], quirks: Sequence[Quirk]
) -> Scored:
    """Decide the pairs of all folds jointly."""
    accepted = [_accepted(row, k, trial, classes) for k, trial in enumerate(trials)]
    right = [_items(each == (trial.pairs.kind == 0), trial) for each, trial in zip(accepted, trials, strict=True)]
    rates = {}
    for position, (kind, name) in enumerate(_RATES.items()):
        wrong = [~each if kind is PairKind.GENUINE else each for each in accepted]
        rates[name] = figure(
            [_items(each, trial).where(trial.pairs.kind == position) for each, trial in zip(wrong, trials, strict=True)]
        )
    accuracy = figure(right)
    found = {}
    if Quirk.PRODUCT in quirks and accuracy:
        found[Quirk.PRODUCT] = spread(_products(row, trials), None, accuracy.n, accuracy.people)
    return Scored(figures={"accuracy": accuracy, **rates}, items=right, quirks=found)


def _accepted(row: RowAnswers, fold: int, trial: ExpressionTrial, classes: Sequence[str]) -> np.ndarray:
    """``(S, P)`` decisions."""
    pairs, names = trial.pairs, list(classes)
    wanted = np.array([names.index(name) for name in pairs.names])[pairs.required]
    near = row.array(fold, "distances") <= row.array(fold, "threshold")[:, None]
    seen = [shown(scores[pairs.probe], wanted, 0.0, 0.0) for scores in row.array(fold, "scores")]
    return np.asarray(near & np.stack(seen))


def _items(values: np.ndarray, trial: ExpressionTrial) -> Items:
    return Items(values.astype(np.float64), trial.pairs.person_reference, trial.pairs.person_probe)


def _products(row: RowAnswers, trials: Sequence[ExpressionTrial]) -> np.ndarray:
    """``(S, F)`` accuracy of the pairs by blocks, times accuracy of the expressions."""
    products = []
    for k, trial in enumerate(trials):
        blocks = contiguous_blocks(len(trial.pairs))
        known = trial.labels >= 0
        products.append(
            [
                np.mean(fold_decisions(distances, trial.same, blocks) == trial.same)
                * np.mean(scores[known].argmax(axis=1) == trial.labels[known])
                for distances, scores in zip(row.array(k, "distances"), row.array(k, "scores"), strict=True)
            ]
        )
    return np.array(products).T
