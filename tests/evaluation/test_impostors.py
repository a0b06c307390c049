from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mien.evaluation import impostors as module
from mien.evaluation.impostors import nearest_impostors


def faces(people, photos, size=8, spread=0.3, seed=0):
    """Unit vectors around a random one for each person; and who each is of."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), photos)
    vectors = rng.normal(size=(people, size))[person] + spread * rng.normal(size=(len(person), size))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), person


def all_impostors(vectors, person):
    """Distances of all pairs of two people, one by one."""
    pairs = combinations(range(len(person)), 2)
    return np.sort([np.linalg.norm(vectors[i] - vectors[j]) for i, j in pairs if person[i] != person[j]])


@pytest.mark.parametrize("block", [7, 512])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.9])
def test_the_smallest_distances_are_found_by_blocks(block, share, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    vectors, person = faces(30, 4)
    shuffled = np.random.default_rng(1).permutation(len(person))
    vectors, person = vectors[shuffled], person[shuffled]
    expected = all_impostors(vectors, person)
    tail = nearest_impostors(vectors, person, share)
    assert tail.pairs() == len(expected)
    assert len(tail.distances) == int(share * len(expected)) + 1
    np.testing.assert_allclose(tail.distances, expected[: len(tail.distances)], atol=1e-9)
    assert (tail.first != tail.second).all()
