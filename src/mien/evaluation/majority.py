"""What most of several people said, where no other answer has as many votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

Integers = NDArray[np.int64]


def unique_majority(votes: NDArray[np.integer], classes: int) -> tuple[Integers, Integers]:
    """The class of each item that has more votes than every other answer.

    All answers compete, also those that are no class ("unknown", "no face", an expression that is not asked for): where
    one of them has as many votes as the best class or more, or two classes tie, the item has no unique majority.

    Args:
        votes: ``(N, V)`` how many people gave each of V answers.
        classes: the first so many of the answers are the classes.

    Returns:
        ``(N,)`` positions of the classes, -1 without a unique majority; and ``(N,)`` the votes of the most frequent
        answer.

    Raises:
        DataError: votes are no table of at least ``classes`` columns, or negative.

    >>> labels, agreeing = unique_majority(np.array([[6, 4, 0], [5, 5, 0], [4, 0, 6], [0, 0, 0]]), 2)
    >>> labels.tolist(), agreeing.tolist()
    ([0, -1, -1, -1], [6, 5, 6, 0])
    """
    table = np.asarray(votes, np.int64)
    if table.ndim != 2 or table.shape[1] < classes or classes < 1 or (table < 0).any():
        raise DataError(f"votes {table.shape} do not fit {classes} classes; give (N, V) counts, the classes first")
    most = table.max(axis=1)
    unique = ((table == most[:, None]).sum(axis=1) == 1) & (most > 0)
    leading = table.argmax(axis=1)
    return np.where(unique & (leading < classes), leading, -1), most
