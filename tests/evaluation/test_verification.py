from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation import (
    evaluate_distances,
    evaluate_verification,
    fold_accuracies,
    make_pairs,
    pair_distances,
    paired_difference,
)
from mien.evaluation.roc import SortedPairs


def faces(noise, people=40, photos=4, seed=0):
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(people), photos)
    return rng.normal(size=(people, 16))[identities] + noise * rng.normal(size=(people * photos, 16)), identities


def slow_fold_accuracies(distances, same, fold):
    """The definition, by trying every cut between the other folds' distances."""
    results = []
    for k in range(fold.max() + 1):
        others = fold != k
        distinct = np.unique(distances[others])
        cuts = [-np.inf, *((distinct[:-1] + distinct[1:]) / 2), distinct[-1]]

        def balanced(cut, chosen):
            tar = np.mean(distances[chosen & same] <= cut)
            return (tar + np.mean(distances[chosen & ~same] > cut)) / 2

        cut = max(cuts, key=lambda cut: round(balanced(cut, others), 9))
        results.append(balanced(cut, fold == k))
    return results


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_fold_accuracy_is_its_definition(seed, folds):
    rng = np.random.default_rng(seed)
    fold = np.repeat(np.arange(folds), 12)
    same = np.tile(np.arange(12) < 6, folds)
    distances = rng.integers(0, 30, size=len(fold)) / 16 - 0.375 * same
    measured = [result.accuracy for result in fold_accuracies(SortedPairs(distances, same), fold)]
    np.testing.assert_allclose(measured, slow_fold_accuracies(distances, same, fold), atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_weights_are_repetitions(seed):
    rng = np.random.default_rng(seed)
    fold, same = np.repeat(np.arange(3), 20), np.tile(np.arange(20) < 8, 3)
    distances = rng.normal(1, 0.3, size=60) - 0.3 * same
    weights = rng.integers(1, 4, size=60)
    repeated = np.repeat(np.arange(60), weights)
    weighted = fold_accuracies(SortedPairs(distances, same), fold, weights.astype(float))
    copied = fold_accuracies(SortedPairs(distances[repeated], same[repeated]), fold[repeated])
    np.testing.assert_allclose([a.accuracy for a in weighted], [a.accuracy for a in copied])
    np.testing.assert_allclose([a.threshold for a in weighted], [a.threshold for a in copied])


def test_threshold_lies_midway_between_separated_kinds():
    distances = np.array([0.2, 0.4, 0.8, 1.0] * 2)
    same, fold = np.array([True, True, False, False] * 2), np.repeat([0, 1], 4)
    for result in fold_accuracies(SortedPairs(distances, same), fold):
        assert result.accuracy == 1
        assert result.threshold == pytest.approx(0.6)


def test_a_perfect_model():
    result = evaluate_verification(*faces(0.01), folds=5, bootstrap=20)
    assert result.accuracy == 1
    assert result.eer == 0
    assert result.auc == 1
    assert all(point.tar == 1 for point in result.points)
    assert result.accuracy_interval.low == 1
    assert (result.people, result.genuine, result.impostors) == (40, 240, 2240)


def test_a_useless_model():
    _, identities = faces(0.0)
    embeddings = np.random.default_rng(3).normal(size=(len(identities), 16))
    result = evaluate_verification(embeddings, identities, bootstrap=50)
    assert result.accuracy == pytest.approx(0.5, abs=0.06)
    assert result.eer == pytest.approx(0.5, abs=0.06)
    assert result.eer_interval.low < result.eer < result.eer_interval.high
    assert result.points[0].false_accepts <= 24


def test_figures_agree_with_their_definitions():
    embeddings, identities = faces(1.0)
    pairs = make_pairs(identities, seed=4)
    distances = pair_distances(embeddings, pairs)
    result = evaluate_distances(distances, pairs, fars=(0.05,), bootstrap=100)
    point = result.points[0]
    assert np.mean(distances[~pairs.same] <= point.threshold) == pytest.approx(point.far)
    assert np.mean(distances[pairs.same] <= point.threshold) == pytest.approx(point.tar)
    assert point.false_accepts == np.sum(distances[~pairs.same] <= point.threshold)
    assert point.interval.low < point.tar < point.interval.high
    assert result.accuracy == pytest.approx(np.mean([fold.accuracy for fold in result.folds]))
    assert result.accuracy_std == pytest.approx(np.std([fold.accuracy for fold in result.folds], ddof=1))
    assert len(result.folds) == 10


def test_drawing_people_is_evaluating_their_copies():
    embeddings, identities = faces(1.0, people=12)
    pairs = make_pairs(identities, folds=2)
    distances = pair_distances(embeddings, pairs)
    result = evaluate_distances(distances, pairs, bootstrap=3, seed=5)
    rng = np.random.default_rng(5)
    for replicate in result.replicates:
        counts = np.bincount(rng.integers(0, 12, size=12), minlength=12)
        times = counts[pairs.person_first] * np.where(pairs.same, 1, counts[pairs.person_second])
        copies = np.repeat(np.arange(len(pairs)), times)
        ordered = SortedPairs(distances[copies], pairs.same[copies])
        expected = np.mean([fold.accuracy for fold in fold_accuracies(ordered, pairs.fold[copies])])
        np.testing.assert_allclose(replicate[:2], [expected, ordered.roc().eer])


def test_bootstrap_over_people_is_wider_than_over_pairs():
    """A person who is hard in all ten pairs counts once, not ten times."""
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(30), 5)
    hardness = rng.choice([0.2, 2.5], size=30)[identities, None]
    embeddings = rng.normal(size=(30, 16))[identities] + hardness * rng.normal(size=(150, 16))
    pairs = make_pairs(identities, folds=2)
    distances = pair_distances(embeddings, pairs)
    point = evaluate_distances(distances, pairs, fars=(0.01,), bootstrap=200).points[0]
    naive = 2 * 1.96 * np.sqrt(point.tar * (1 - point.tar) / pairs.same.sum())
    assert point.interval.high - point.interval.low > 1.5 * naive


def test_paired_difference_of_a_model_with_itself_is_nothing():
    ours = evaluate_verification(*faces(1.0), bootstrap=30)
    theirs = evaluate_verification(*faces(1.0), bootstrap=30)
    assert all((interval.low, interval.high) == (0, 0) for interval in paired_difference(ours, theirs))
    better = evaluate_verification(*faces(0.3), bootstrap=30)
    assert paired_difference(better, ours)[0].low > 0
    with pytest.raises(DataError, match="cannot be paired"):
        paired_difference(ours, evaluate_verification(*faces(1.0), bootstrap=0))


def test_a_far_below_the_resolution_accepts_no_impostor():
    result = evaluate_verification(*faces(0.8), fars=(1e-9,), bootstrap=0)
    assert result.points[0].false_accepts == 0
    assert result.points[0].interval is None
    assert 0 < result.points[0].tar < 1


def test_refuses_arrays_that_do_not_fit():
    with pytest.raises(DataError, match="do not fit"):
        evaluate_verification(np.zeros((3, 2)), [1, 1])
    with pytest.raises(DataError, match="not finite"):
        evaluate_verification(np.full((40, 2), np.nan), np.arange(40) // 2)
