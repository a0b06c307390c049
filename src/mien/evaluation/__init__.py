"""Protocols that turn embeddings and probabilities into figures with their spread; numpy only, on plain arrays.

`evaluate_verification` and `evaluate_expression` are the two calls that most users need. Conventions, everywhere:

* Two faces are accepted as the same person when their distance is **at most** the threshold; equal distances fall
  together on one side.
* FAR is the share of impostor pairs accepted, TAR the share of genuine pairs accepted, FRR is 1 - TAR. No step of the
  curve is interpolated, except for the equal error rate.
* -1, None and the empty string mean "unlabelled": such items take part in nothing.
* Everything random takes a seed and is the same on every machine.
"""

from __future__ import annotations

from mien.evaluation.all_pairs import AllPairs, AllPairsResult
from mien.evaluation.authentication import (
    Acceptance,
    AuthenticationResult,
    evaluate_authentication,
    rate_over_people,
)
from mien.evaluation.expression import ExpressionResult, calibration_error, evaluate_expression, macro_over_people
from mien.evaluation.expression_pairs import REQUIRED, ExpressionPairs, PairKind, make_expression_pairs
from mien.evaluation.expression_summary import ExpressionSummary, summarize_expression
from mien.evaluation.intervals import Estimate, Interval, bootstrap_items, bootstrap_people, percentile_interval, wilson
from mien.evaluation.majority import unique_majority
from mien.evaluation.official import Quirk, scored_pairs
from mien.evaluation.pairs import Pairs, genuine_pairs, make_pairs, pair_distances, person_folds
from mien.evaluation.people import mean_over_people
from mien.evaluation.ranking import area_under_roc
from mien.evaluation.roc import Roc
from mien.evaluation.threshold_choice import choose_thresholds
from mien.evaluation.verification import (
    FoldAccuracy,
    OperatingPoint,
    VerificationResult,
    best_threshold,
    contiguous_blocks,
    evaluate_distances,
    evaluate_verification,
    fold_accuracies,
    fold_decisions,
    paired_difference,
)
from mien.evaluation.videos import average_videos, spread_frames

__all__ = [
    "REQUIRED",
    "Acceptance",
    "AllPairs",
    "AllPairsResult",
    "AuthenticationResult",
    "Estimate",
    "ExpressionPairs",
    "ExpressionResult",
    "ExpressionSummary",
    "FoldAccuracy",
    "Interval",
    "OperatingPoint",
    "PairKind",
    "Pairs",
    "Quirk",
    "Roc",
    "VerificationResult",
    "area_under_roc",
    "average_videos",
    "best_threshold",
    "bootstrap_items",
    "bootstrap_people",
    "calibration_error",
    "choose_thresholds",
    "contiguous_blocks",
    "evaluate_authentication",
    "evaluate_distances",
    "evaluate_expression",
    "evaluate_verification",
    "fold_accuracies",
    "fold_decisions",
    "genuine_pairs",
    "macro_over_people",
    "make_expression_pairs",
    "make_pairs",
    "mean_over_people",
    "pair_distances",
    "paired_difference",
    "percentile_interval",
    "person_folds",
    "rate_over_people",
    "scored_pairs",
    "spread_frames",
    "summarize_expression",
    "unique_majority",
    "wilson",
]
