"""Classes that are rare in a data set, made less rare in training: by drawing them more often, or by weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datasets.samples import UNLABELLED

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def balanced_order(labels: Integers, balance: float, *key: int) -> list[int]:
    """Positions of one pass over a data set, as many as it has photos, in random order; rare classes come repeatedly.

    A photo comes in proportion to the share of its class to the power ``-balance``, scaled so that the labelled photos
    together come as often as there are of them; an unlabelled one comes once. How often it comes is this number rounded
    down or up at random, such that each class has its exact part (systematic sampling).

    Args:
        labels: int64 ``(N,)`` classes, -1 for unlabelled.
        balance: 0 leaves the classes as they are, 1 makes them equally frequent.
        key: seed, epoch ...; the order depends on it alone.

    >>> order = balanced_order(np.array([0] * 90 + [1] * 10), 1.0, 7)
    >>> sum(position >= 90 for position in order)
    50
    """
    rng = np.random.default_rng(key)
    shuffled = rng.permutation(len(labels))
    shuffled = shuffled[np.argsort(labels[shuffled], kind="stable")]
    ends = np.cumsum(_expected(labels, balance)[shuffled])
    ends[-1:] = len(labels)  # exactly, whatever the rounding
    steps = np.floor(np.concatenate([[0.0], ends]) + rng.random()).astype(np.int64)
    rows = np.repeat(shuffled, np.diff(steps))
    return [int(row) for row in rng.permutation(rows)]


def class_weights(shares: NDArray[np.floating], exponent: float) -> Floats:
    """Weights ``(K,)`` of the classes: each one's share of all votes to the power ``-exponent``.

    They are scaled so that the mean weight of a vote is 1; a class without votes has weight 1, which never counts.

    Args:
        shares: ``(N, K)`` of each photo's votes; rows of zeros for unlabelled photos.
        exponent: 0 weighs all votes alike, 1 gives each class the same part in the loss.

    >>> class_weights(np.array([[1, 0], [1, 0], [1, 0], [0, 1]]), 1.0).round(3).tolist()
    [0.667, 2.0]
    """
    votes = np.asarray(shares, np.float64).sum(axis=0)
    weights = np.ones(len(votes))
    there = votes > 0
    if there.any():
        part = votes[there] / votes.sum()
        raised = part**-exponent
        weights[there] = raised / (part @ raised)
    return weights


def _expected(labels: Integers, balance: float) -> Floats:
    """How often each photo is expected in a pass, ``(N,)``."""
    expected = np.ones(len(labels))
    labelled = labels != UNLABELLED
    if labelled.any():
        counts = np.bincount(labels[labelled])
        raised = counts[labels[labelled]].astype(np.float64) ** -balance
        expected[labelled] = raised * labelled.sum() / raised.sum()
    return expected
