from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.datasets.balance import balanced_order, class_weights

label_lists = st.lists(st.integers(-1, 4), min_size=1, max_size=80)


@given(label_lists, st.floats(0, 1), st.integers(0, 9))
def test_a_pass_is_as_long_as_the_set_and_each_photo_comes_as_often_as_expected(labels, balance, seed):
    order = balanced_order(np.array(labels), balance, seed)
    assert len(order) == len(labels)
    assert order == balanced_order(np.array(labels), balance, seed)
    times, counts = Counter(order), Counter(labels)
    known = len(labels) - counts[-1]
    total = sum(counts[label] ** (1 - balance) for label in counts if label != -1)
    for position, label in enumerate(labels):
        expected = 1 if label == -1 else known * counts[label] ** -balance / total
        assert abs(times[position] - expected) < 1 + 1e-6
    if balance == 0:
        assert sorted(order) == list(range(len(labels)))


@pytest.mark.parametrize("balance", [0.4, 1.0])
def test_classes_get_their_share(balance):
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    drawn = [labels[balanced_order(labels, balance, seed)] for seed in range(20)]
    found = np.bincount(np.concatenate(drawn)) / 20_000
    expected = np.array([0.9, 0.09, 0.01]) ** (1 - balance)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=0.0005)


def test_passes_differ():
    labels = np.zeros(50, np.int64)
    assert balanced_order(labels, 0.5, 0, 1) != balanced_order(labels, 0.5, 0, 2)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=20), st.floats(0, 2))
def test_the_mean_weight_of_a_vote_is_one(shares, exponent):
    votes = np.array(shares)
    votes[votes < 1e-6] = 0
    weights = class_weights(votes, exponent)
    if votes.sum():
        assert (votes @ weights).sum() == pytest.approx(votes.sum())
        there = votes.sum(axis=0) > 0
        ratio = weights[there] * votes.sum(axis=0)[there] ** exponent
        np.testing.assert_allclose(ratio, ratio[0])


def test_nothing_is_weighed_where_nothing_is_labelled():
    assert class_weights(np.zeros((3, 2)), 0.4).tolist() == [1, 1]
    assert class_weights(np.zeros((3, 0)), 0.4).tolist() == []
