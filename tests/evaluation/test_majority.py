from __future__ import annotations

import numpy as np
import pytest

from mien.errors import DataError
from mien.evaluation import unique_majority

SEVEN = 7  # neutral happiness surprise sadness anger disgust fear | contempt unknown NF


@pytest.mark.parametrize(
    ("votes", "label", "agreeing"),
    [
        ([8, 0, 0, 1, 1, 0, 0, 0, 0, 0], 0, 8),
        ([0, 0, 0, 0, 4, 3, 3, 0, 0, 0], 4, 4),  # most frequent, though no absolute majority
        ([5, 0, 0, 5, 0, 0, 0, 0, 0, 0], -1, 5),  # two expressions tie
        ([4, 0, 0, 0, 0, 0, 0, 4, 2, 0], -1, 4),  # tied with contempt
        ([3, 1, 0, 0, 0, 0, 0, 6, 0, 0], -1, 6),  # contempt
        ([4, 0, 0, 0, 0, 0, 0, 0, 6, 0], -1, 6),  # unknown
        ([4, 0, 0, 0, 0, 0, 0, 0, 0, 4], -1, 4),  # as many say that there is no face
        ([0] * 10, -1, 0),  # no votes
    ],
)
def test_unique_majority_over_seven_classes(votes, label, agreeing):
    labels, most = unique_majority(np.array([votes]), SEVEN)
    assert (labels.tolist(), most.tolist()) == ([label], [agreeing])


@pytest.mark.parametrize("votes", [np.zeros(10, int), np.zeros((2, 6), int), np.full((2, 10), -1)])
def test_other_tables_are_refused(votes):
    with pytest.raises(DataError, match="do not fit 7 classes"):
        unique_majority(votes, SEVEN)
