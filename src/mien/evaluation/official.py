"""Quirks of the paper's official code that flatter or blur its figures; each can be switched on, to show its worth.

From github.com/hengxyz/Dynamic_multi-task-learning. The protocols of this package have none of them.
"""

from __future__ import annotations

from enum import StrEnum

SCORING_BATCH = 100
"""Images go through the official scoring in full batches of so many."""


class Quirk(StrEnum):
    """A quirk, by the name that the command line has for it."""

    BEST_ON_TEST = "best-on-test"
    UNORDERED_FOLDS = "unordered-folds"
    DROPPED_BATCH = "dropped-batch"
    PRODUCT = "product"

    @property
    def meaning(self) -> str:
        """What the official code does."""
        return _MEANINGS[self]


_MEANINGS = {
    Quirk.BEST_ON_TEST: "the epoch is chosen on the test fold, for each figure apart",
    Quirk.UNORDERED_FOLDS: "folds are cut from the people in no defined order (a Python set), so they cannot be had "
    "again; here the people are shuffled once",
    Quirk.DROPPED_BATCH: f"only full batches of {SCORING_BATCH} images are scored; the pairs of the last are dropped",
    Quirk.PRODUCT: "authentication is scored as verification accuracy times expression accuracy, not by its decisions",
}


def scored_pairs(pairs: int) -> int:
    """So many pairs remain where only full batches of images are scored, two images a pair.

    >>> scored_pairs(384), scored_pairs(206)
    (350, 200)
    """
    return 2 * pairs // SCORING_BATCH * SCORING_BATCH // 2
