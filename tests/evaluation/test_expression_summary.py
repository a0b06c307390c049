from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from mien.errors import DataError
from mien.evaluation import calibration_error, summarize_expression, wilson

NAMES = ["neutral", "happiness", "fear"]


def answers(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 1, 2], size=n, p=[0.1, 0.4, 0.4, 0.1])
    scores = rng.gamma(1.0, size=(n, 3)) + 1.5 * np.eye(3)[labels]
    return scores / scores.sum(axis=1, keepdims=True), labels


def test_figures_by_hand():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.2, 0.2, 0.6]])
    summary = summarize_expression(probabilities, np.array([0, 1, 1, -1]), NAMES, bootstrap=50)
    assert (summary.n, summary.people) == (3, 3)
    assert summary.accuracy.value == pytest.approx(2 / 3)
    assert summary.base_rate == pytest.approx(2 / 3)
    assert summary.mean_recall.value == pytest.approx((1 + 0.5) / 2)
    assert summary.averaged == ("neutral", "happiness")
    assert summary.calibration_error.value == pytest.approx((2 * 0.4 + 0.4) / 3)
    assert {name: recall.value for name, recall in summary.recall.items()} == {"neutral": 1.0, "happiness": 0.5}
    assert summary.recall["happiness"].interval == wilson(1, 2)
    assert summary.counts == {"neutral": 1, "happiness": 2, "fear": 0}
    assert summary.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("by_person", [False, True])
def test_intervals_are_those_of_repeated_photos(by_person):
    """Oracle: draw people (or photos), repeat their photos, and measure with scikit-learn."""
    probabilities, labels = answers(90)
    people = np.arange(90) // 3 if by_person else None
    summary = summarize_expression(probabilities, labels, NAMES, people=people, least=1, bootstrap=60, seed=4)
    rows, truth = probabilities[labels >= 0], labels[labels >= 0]
    whose = np.unique(np.arange(90)[labels >= 0] // 3, return_inverse=True)[1] if by_person else np.arange(len(truth))
    number = whose.max() + 1
    assert summary.people == number
    rng, expected = np.random.default_rng(4), []
    for _ in range(60):
        drawn = np.bincount(rng.integers(0, number, size=number), minlength=number)
        t, p = np.repeat(truth, drawn[whose]), np.repeat(rows, drawn[whose], axis=0)
        answer = p.argmax(axis=1)
        mean_recall = recall_score(t, answer, labels=np.unique(t), average="macro")
        expected.append([accuracy_score(t, answer), mean_recall, calibration_error(p, t)])
    ends = np.quantile(expected, [0.025, 0.975], axis=0)
    for k, estimate in enumerate((summary.accuracy, summary.mean_recall, summary.calibration_error)):
        assert (estimate.interval.low, estimate.interval.high) == pytest.approx(tuple(ends[:, k]))


def test_small_classes_are_left_out_of_the_mean():
    probabilities, labels = answers(200)
    summary = summarize_expression(probabilities, labels, NAMES, least=40, bootstrap=5)
    assert summary.averaged == ("neutral", "happiness")
    assert summary.mean_recall.value == pytest.approx(
        (summary.recall["neutral"].value + summary.recall["happiness"].value) / 2
    )
    with pytest.raises(DataError, match="no class has 1000 photos"):
        summarize_expression(probabilities, labels, NAMES, least=1000)
