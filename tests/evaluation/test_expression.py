from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from mien.errors import DataError
from mien.evaluation import calibration_error, evaluate_expression

NAMES = ["neutral", "happiness", "sadness", "surprise"]
labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(labels)
def test_agrees_with_scikit_learn(items):
    truth, predicted = np.array(items).T
    result = evaluate_expression(np.eye(4)[predicted], truth, NAMES, bootstrap=0)
    assert result.accuracy == pytest.approx(accuracy_score(truth, predicted))
    np.testing.assert_array_equal(result.confusion, confusion_matrix(truth, predicted, labels=range(4)))
    assert result.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
    occurring = sorted(set(truth.tolist()))
    expected = recall_score(truth, predicted, labels=occurring, average=None)
    np.testing.assert_allclose(result.recall[occurring], expected)
    assert np.isnan(result.recall[[c for c in range(4) if c not in occurring]]).all()
    if set(predicted.tolist()) <= set(occurring) and len(occurring) > 1:  # scikit-learn warns otherwise
        assert result.macro_recall == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_ties_go_to_the_first_class_and_unlabelled_items_are_left_out():
    scores = np.array([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    result = evaluate_expression(scores, [0, 1, -1], NAMES[:2], bootstrap=0)
    assert (result.n, result.accuracy) == (2, 1)
    assert result.macro_f1_interval is None


def test_intervals_hold_the_figure():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, size=300)
    scores = np.eye(4)[truth] + rng.normal(0, 0.7, size=(300, 4))
    result = evaluate_expression(scores, truth, NAMES)
    assert result.accuracy_interval.low < result.accuracy < result.accuracy_interval.high
    assert result.macro_f1_interval.low < result.macro_f1 < result.macro_f1_interval.high


@pytest.mark.parametrize(
    ("scores", "truth", "message"),
    [
        (np.zeros((2, 3)), [0, 1], "do not fit"),
        (np.zeros((2, 4)), [0, 4], "outside"),
        (np.zeros((2, 4)), [-1, -1], "nothing to evaluate"),
        (np.full((1, 4), np.nan), [0], "NaN"),
    ],
)
def test_refuses_what_cannot_be_evaluated(scores, truth, message):
    with pytest.raises(DataError, match=message):
        evaluate_expression(scores, truth, NAMES)


def test_calibration_error_by_hand():
    """Bins of 1/15: 0.95 lies in (14/15, 1], 0.6 closes (8/15, 9/15], 0.61 opens the next."""
    confidence = [0.95, 0.95, 0.95, 0.6, 0.61, 0.5]
    right = [True, True, False, True, False, True]
    expected = (3 * abs(2 / 3 - 0.95) + abs(1 - 0.6) + abs(0 - 0.61) + abs(1 - 0.5)) / 6
    probabilities = np.array([[p, 1 - p] for p in confidence])
    labels = [0 if r else 1 for r in right]
    assert calibration_error(probabilities, labels) == pytest.approx(expected)
    unlabelled = np.vstack([probabilities, [[0.7, 0.3]]])
    assert calibration_error(unlabelled, [*labels, -1]) == pytest.approx(expected)
    assert calibration_error(probabilities, labels, bins=1) == pytest.approx(abs(4 / 6 - np.mean(confidence)))


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40), st.integers(1, 20))
def test_calibration_error_of_the_sure_and_right_is_what_they_lack(first, bins):
    """Where all are right, every bin falls short by its own doubt, whatever the bins."""
    probabilities = np.array([[p, 1 - p] for p in first])
    expected = 1 - probabilities.max(axis=1).mean()
    assert calibration_error(probabilities, probabilities.argmax(axis=1), bins) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        (np.full((2, 2), 0.5), [0], "do not fit"),
        (np.full((1, 2), 0.5), [-1], "nothing to evaluate"),
        (np.full((1, 2), 2.0), [0], "not logits"),
    ],
)
def test_calibration_error_refuses_what_it_cannot_measure(probabilities, truth, message):
    with pytest.raises(DataError, match=message):
        calibration_error(probabilities, truth)
