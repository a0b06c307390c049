from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mien.errors import DataError
from mien.evaluation import choose_thresholds


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


def test_every_row_keeps_to_its_rate():
    vectors, person = faces(100, 3)
    expected = all_impostors(vectors, person)
    table = choose_thresholds(vectors, person, name="drawn", default_far=1e-3, bootstrap=50)
    assert [row.far for row in table.rows] == [1e-2, 1e-3]  # 44,550 pairs: 4 at a FAR of 1e-4
    for row in table.rows:
        accepted = int((expected <= row.distance).sum())
        assert accepted / len(expected) <= row.far
        assert expected[int(row.far * len(expected))] > row.distance
        assert expected[int(row.far * len(expected)) - 1] == pytest.approx(row.distance, abs=0.01)
        assert row.impostor_pairs == len(expected) == 44_550
        assert f"100 people, 44550 impostor pairs, {accepted} of them accepted; 300 genuine pairs" in row.chosen_on
        low, high = row.far_interval
        assert 0 <= low < accepted / len(expected) < high
    assert table.default.far == 1e-3


def test_the_interval_is_the_bootstrap_over_people():
    """Oracle: draw people, repeat their photos, count all pairs of two different people."""
    vectors, person = faces(20, 3)
    table = choose_thresholds(vectors, person, name="drawn", default_far=1e-2, bootstrap=200, seed=3)
    row = table.default
    rng, rates = np.random.default_rng(3), []
    for _ in range(200):
        counts = np.bincount(rng.integers(0, 20, size=20), minlength=20)
        accepted = total = 0.0
        for i, j in combinations(range(len(person)), 2):
            if person[i] != person[j]:
                weight = counts[person[i]] * counts[person[j]]
                total += weight
                accepted += weight * (np.linalg.norm(vectors[i] - vectors[j]) <= row.distance)
        rates.append(accepted / total)
    assert row.far_interval == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])), rel=1e-9)


def test_unlabelled_photos_take_no_part():
    vectors, person = faces(20, 3)
    expected = choose_thresholds(vectors, person, name="drawn", default_far=1e-2, bootstrap=20)
    more = np.concatenate([vectors, vectors[:5]])
    labels = [*map(str, person + 100), *[""] * 5]
    found = choose_thresholds(more, labels, name="drawn", default_far=1e-2, bootstrap=20)
    assert found == expected


def test_too_few_pairs_are_refused():
    vectors, person = faces(5, 2)
    with pytest.raises(DataError, match=r"40 impostor pairs of 5 people are too few .* FAR 0.001; give at least 1000"):
        choose_thresholds(vectors, person, name="few", bootstrap=5)
    assert [row.far for row in choose_thresholds(vectors, person, name="few", default_far=0.1, bootstrap=5).rows] == [
        0.1
    ]


def test_equal_distances_fall_together():
    """Two photos are the same for everybody: their pairs cannot be told apart by any distance."""
    vectors = np.eye(12)[[0, 0, *range(12)]]
    person = np.array([*range(7), *range(7)])
    with pytest.raises(DataError, match="too few"):
        choose_thresholds(vectors, person, name="equal", default_far=0.01, bootstrap=5)
