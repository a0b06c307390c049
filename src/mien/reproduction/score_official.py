"""Verification on official pairs of photos or videos in folds: LFW, YouTube Faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.evaluation import Quirk, Roc, fold_decisions
from mien.networks import IDENTITY
from mien.reproduction.figures import Items, figure, spread
from mien.reproduction.rows import RowAnswers
from mien.reproduction.scored import Scored
from mien.reproduction.trials import PairTrial

METRICS = {
    "accuracy": "share of pairs told rightly, each official fold at the threshold that is best on the others",
    "eer": "equal error rate over all pairs",
    "auc": "area under the ROC curve",
    "tar_at_far_1e-3": "genuine pairs accepted when 1 in 1,000 impostor pairs is",
}


def score_official(row: RowAnswers, trial: PairTrial, quirks: Sequence[Quirk]) -> Scored:
    """Score the pairs of all official folds, of one network a seed."""
    pairs, distances = trial.pairs, row.array(0, "distances")
    right = np.stack([fold_decisions(each, pairs.same, pairs.fold) == pairs.same for each in distances])
    whole = Items(right.astype(np.float64), pairs.person_first, pairs.person_second)
    items = [whole.where(pairs.fold == k) for k in np.unique(pairs.fold).tolist()]
    accuracy = figure(items)
    assert accuracy is not None  # noqa: S101 -- there are pairs
    n, people = accuracy.n, accuracy.people
    rocs = [Roc.of(each, pairs.same) for each in distances]
    found = {}
    if Quirk.BEST_ON_TEST in quirks and row.runs[0][0][0].epochs:
        found[Quirk.BEST_ON_TEST] = spread(row.best_on_test(IDENTITY), None, n, people)
    return Scored(
        figures={
            "accuracy": accuracy,
            "eer": spread(np.array([[roc.eer] for roc in rocs]), None, n, people),
            "auc": spread(np.array([[roc.auc] for roc in rocs]), None, n, people),
            "tar_at_far_1e-3": spread(np.array([[roc.tar[roc.at_far(1e-3)]] for roc in rocs]), None, n, people),
        },
        items=items,
        quirks=found,
        curve=np.stack([rocs[0].far, rocs[0].tar]),
    )
