"""Verification with expression: the paper's four-way pairs, told apart by identity alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.evaluation import PairKind, Quirk, Roc, contiguous_blocks, fold_decisions, scored_pairs
from mien.networks import IDENTITY
from mien.reproduction.figures import Figure, Items, figure, spread
from mien.reproduction.rows import RowAnswers
from mien.reproduction.scored import WORST, Mistake, Scored
from mien.reproduction.trials import ExpressionTrial

METRICS = {
    "accuracy": "share of pairs told rightly, thresholds from the other nine of ten blocks of the fold's pairs, as in "
    "the official code; mean over folds",
    "accuracy_strict": "the same with one threshold from the validation people",
    "eer": "equal error rate; mean over folds",
    "auc": "area under the ROC curve; mean over folds",
}


def score_pairs(row: RowAnswers, trials: Sequence[ExpressionTrial], quirks: Sequence[Quirk]) -> Scored:
    """Score the pairs of all folds."""
    items = [_items(_blocks(row, k, trial), trial) for k, trial in enumerate(trials)]
    strict = [_items(row.array(k, "distances") <= _thresholds(row, k), trial) for k, trial in enumerate(trials)]
    rocs = [[Roc.of(each, trial.same) for each in row.array(k, "distances")] for k, trial in enumerate(trials)]
    accuracy = figure(items)
    assert accuracy is not None  # noqa: S101 -- a trial without pairs is refused when it is made
    n, people = accuracy.n, accuracy.people
    return Scored(
        figures={
            "accuracy": accuracy,
            "accuracy_strict": figure(strict),
            "eer": spread(np.array([[roc.eer for roc in seeds] for seeds in rocs]).T, None, n, people),
            "auc": spread(np.array([[roc.auc for roc in seeds] for seeds in rocs]).T, None, n, people),
        },
        items=items,
        quirks=_quirks(row, trials, quirks, accuracy),
        curve=_curve(row, trials),
        mistakes=find_mistakes(row, trials),
    )


def pair_counts(trials: Sequence[ExpressionTrial]) -> dict[str, int]:
    """How many pairs of each kind there are, over all folds."""
    return {kind.value: sum(trial.pairs.counts()[kind] for trial in trials) for kind in PairKind}


def _thresholds(row: RowAnswers, fold: int) -> np.ndarray:
    return row.array(fold, "threshold")[:, None]


def _blocks(row: RowAnswers, fold: int, trial: ExpressionTrial, count: int | None = None) -> np.ndarray:
    """``(S, P)`` decisions by the blocks of the first ``count`` pairs; all by default."""
    same = trial.same[:count]
    blocks = contiguous_blocks(len(same))
    return np.stack([fold_decisions(each[:count], same, blocks) for each in row.array(fold, "distances")])


def _items(accepted: np.ndarray, trial: ExpressionTrial) -> Items:
    count = accepted.shape[1]
    right = (accepted == trial.same[:count]).astype(np.float64)
    return Items(right, trial.pairs.person_reference[:count], trial.pairs.person_probe[:count])


def _quirks(
    row: RowAnswers, trials: Sequence[ExpressionTrial], quirks: Sequence[Quirk], accuracy: Figure
) -> dict[Quirk, Figure]:
    found: dict[Quirk, Figure] = {}
    if Quirk.BEST_ON_TEST in quirks and any(run.epochs for seeds in row.runs for made in seeds for run in made):
        found[Quirk.BEST_ON_TEST] = spread(row.best_on_test(IDENTITY), None, accuracy.n, accuracy.people)
    if Quirk.DROPPED_BATCH in quirks:
        kept = [
            _items(_blocks(row, k, trial, count), trial)
            for k, trial in enumerate(trials)
            if (count := scored_pairs(len(trial.pairs)))
        ]
        if scored := figure(kept) if kept else None:
            found[Quirk.DROPPED_BATCH] = scored
    return found


def _curve(row: RowAnswers, trials: Sequence[ExpressionTrial]) -> np.ndarray:
    """The first seed's ROC over all folds, distances in units of each fold's threshold."""
    scaled = [row.array(k, "distances")[0] / max(1e-9, float(_thresholds(row, k)[0, 0])) for k in range(len(trials))]
    roc = Roc.of(np.concatenate(scaled), np.concatenate([trial.same for trial in trials]))
    return np.stack([roc.far, roc.tar])


def find_mistakes(row: RowAnswers, trials: Sequence[ExpressionTrial]) -> tuple[Mistake, ...]:
    """The pairs that are farthest on the wrong side of the validation people's threshold, in its units.

    A pair of photos that is asked about more than once is told once.
    """
    found: dict[Mistake, float] = {}
    for k, trial in enumerate(trials):
        threshold = max(1e-9, float(_thresholds(row, k)[0, 0]))
        ratio = row.array(k, "distances")[0] / threshold
        beyond = np.where(trial.same, ratio - 1, 1 - ratio)
        for i in np.flatnonzero(beyond > 0).tolist():
            names = trial.names[trial.pairs.reference[i]], trial.names[trial.pairs.probe[i]]
            kind = "one person refused" if trial.same[i] else "two people taken for one"
            found[Mistake(names, f"{kind} at {ratio[i]:.2f} of the threshold")] = beyond[i]
    return tuple(sorted(found, key=lambda mistake: -found[mistake])[:WORST])
