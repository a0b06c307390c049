"""Subject-independent expression recognition: accuracy over folds, recall, F1 and confusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.evaluation import ExpressionResult, Quirk, evaluate_expression, macro_over_people
from mien.networks import EXPRESSION
from mien.reproduction.figures import Items, figure, pool, spread
from mien.reproduction.rows import RowAnswers
from mien.reproduction.scored import WORST, Mistake, Scored, person_numbers
from mien.reproduction.trials import ExpressionTrial

METRICS = {
    "accuracy": "share of test photos whose most probable class is the labelled one; mean over folds",
    "macro_recall": "mean of the classes' recalls over all folds",
    "macro_f1": "mean of the classes' F1 over all folds",
}


def score_expression(
    row: RowAnswers, trials: Sequence[ExpressionTrial], classes: Sequence[str], quirks: Sequence[Quirk]
) -> Scored:
    """Score the labelled photos of all folds; each is tested once a seed."""
    items = [_items(row, k, trial) for k, trial in enumerate(trials)]
    labels = np.concatenate([trial.labels for trial in trials])
    scores = np.concatenate([row.array(k, "scores") for k in range(len(trials))], axis=1)
    results = [evaluate_expression(each, labels, classes, bootstrap=0) for each in scores]
    accuracy = figure(items)
    found = {}
    if Quirk.BEST_ON_TEST in quirks and accuracy:
        found[Quirk.BEST_ON_TEST] = spread(row.best_on_test(EXPRESSION), None, accuracy.n, accuracy.people)
    recall, f1 = ([[getattr(result, name)] for result in results] for name in ("macro_recall", "macro_f1"))
    known = labels >= 0
    said, whose = scores.argmax(axis=2)[:, known], pool(items).first
    over_recall, over_f1 = macro_over_people(said, labels[known], whose, len(classes))
    count, people = (accuracy.n, accuracy.people) if accuracy else (0, 0)
    return Scored(
        figures={
            "accuracy": accuracy,
            "macro_recall": spread(np.array(recall), over_recall, count, people),
            "macro_f1": spread(np.array(f1), over_f1, count, people),
        },
        items=items,
        quirks=found,
        confusion=_sum(results),
        mistakes=_mistakes(scores[0], labels, [name for trial in trials for name in trial.names], classes),
    )


def _items(row: RowAnswers, fold: int, trial: ExpressionTrial) -> Items:
    known = trial.labels >= 0
    right = row.array(fold, "scores").argmax(axis=2) == trial.labels
    people = person_numbers(trial)
    return Items(right.astype(np.float64), people, people).where(known)


def _sum(results: Sequence[ExpressionResult]) -> np.ndarray:
    total: np.ndarray = np.sum([result.confusion for result in results], axis=0)
    return total


def _mistakes(
    scores: np.ndarray, labels: np.ndarray, names: Sequence[str], classes: Sequence[str]
) -> tuple[Mistake, ...]:
    """The wrong classes that were given the highest probability."""
    said = scores.argmax(axis=1)
    wrong = np.flatnonzero((labels >= 0) & (said != labels))
    worst = wrong[np.argsort(-scores[wrong, said[wrong]], kind="stable")][:WORST]
    return tuple(
        Mistake((names[i],), f"{classes[labels[i]]} taken for {classes[said[i]]} ({scores[i, said[i]]:.0%})")
        for i in worst.tolist()
    )
