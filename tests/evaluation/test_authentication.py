from __future__ import annotations

import numpy as np
import pytest

from mien.errors import DataError
from mien.evaluation import PairKind, evaluate_authentication, make_expression_pairs, rate_over_people, wilson
from mien.evaluation.authentication import shown

NAMES = ("neutral", "happiness", "surprise")


@pytest.fixture
def photos():
    """Two people, each neutral, happy and surprised; b's happy photo looks like a's, and like surprise."""
    people = ["a", "a", "a", "b", "b", "b"]
    labels = ["neutral", "happiness", "surprise"] * 2
    embeddings = np.array([[0.0], [0.1], [0.2], [5.0], [0.1], [5.2]])
    scores = np.eye(3)[[0, 1, 2, 0, 2, 2]] * 0.8 + 0.1
    return people, labels, embeddings, scores


def test_a_case_worked_out_by_hand(photos):
    people, labels, embeddings, scores = photos
    pairs = make_expression_pairs(people, labels)
    result = evaluate_authentication(embeddings, scores, labels, NAMES, pairs, threshold=0.5, bootstrap=50)
    # genuine: a happy and surprised are accepted, b happy is far from b neutral, b surprised is accepted: 3 of 4
    genuine = result.kinds[PairKind.GENUINE]
    assert (genuine.accepted, genuine.n, genuine.people) == (3, 4, 2)
    assert result.frr == 0.25
    # wrong person, right expression: a's references see b happy (near, but looks surprised: refused) and b surprised
    # (far); b's references see a's photos, all far: none of 4
    assert result.kinds[PairKind.WRONG_PERSON].accepted == 0
    assert result.kinds[PairKind.WRONG_PERSON].interval == wilson(0, 2)
    assert result.expression_accuracy == 5 / 6
    assert result.product == pytest.approx(result.pair_accuracy * 5 / 6)
    everything = sum(kind.n for kind in result.kinds.values())
    wrong = sum(kind.accepted for kind in result.kinds.values()) - 3 + 1
    assert result.accuracy == pytest.approx(1 - wrong / everything)
    assert result.far == max(k.rate for name, k in result.kinds.items() if name is not PairKind.GENUINE)


def test_far_and_frr_agree_with_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    people = [f"{k // 4}" for k in range(80)]
    labels = [NAMES[k % 3] for k in rng.integers(0, 3, 80)]
    embeddings, scores = rng.normal(size=(80, 2)), rng.dirichlet(np.ones(3), 80)
    pairs = make_expression_pairs(people, labels)
    rules = {"threshold": 1.5, "probability": 0.3, "margin": 0.05}
    result = evaluate_authentication(embeddings, scores, labels, NAMES, pairs, **rules, bootstrap=20)
    counts = dict.fromkeys(PairKind, 0)
    for k in range(len(pairs)):
        row = scores[pairs.probe[k]]
        wanted = NAMES.index(pairs.names[pairs.required[k]])
        near = np.linalg.norm(embeddings[pairs.reference[k]] - embeddings[pairs.probe[k]]) <= 1.5
        clear = row[wanted] >= 0.3 and row[wanted] - max(np.delete(row, wanted)) >= 0.05
        counts[list(PairKind)[pairs.kind[k]]] += bool(near and clear)
    assert {kind: rate.accepted for kind, rate in result.kinds.items()} == counts
    assert result.attacks.accepted == sum(counts.values()) - counts[PairKind.GENUINE]
    for rate in result.kinds.values():
        assert rate.interval.low <= rate.rate <= rate.interval.high


def test_probability_and_margin():
    scores = np.array([[0.2, 0.5, 0.3], [0.2, 0.4, 0.4], [0.2, 0.3, 0.5]])
    wanted = np.array([1, 1, 1])
    assert shown(scores, wanted, 0.0, 0.0).tolist() == [True, True, False]
    assert shown(scores, np.array([2, 2, 2]), 0.0, 0.0).tolist() == [False, False, True]  # one answer of equal ones
    assert shown(scores, wanted, 0.45, 0.0).tolist() == [True, False, False]
    assert shown(scores, wanted, 0.0, 0.21).tolist() == [False, False, False]


def test_intervals_know_that_pairs_share_people():
    # 10 people, each accepted always or never: 100 answers each are no more than 10 items
    claimed = np.repeat(np.arange(10), 100)
    rate = rate_over_people(claimed % 2 == 0, claimed, claimed)
    assert (rate.rate, rate.people) == (0.5, 10)
    assert rate.interval.high - rate.interval.low > 0.4
    none = rate_over_people(np.zeros(1000, bool), claimed, claimed)
    assert (none.interval.low, none.interval.high) == (0.0, pytest.approx(wilson(0, 10).high))


def test_what_does_not_fit_is_refused(photos):
    people, labels, embeddings, scores = photos
    pairs = make_expression_pairs(people, labels)
    with pytest.raises(DataError, match="do not fit"):
        evaluate_authentication(embeddings[1:], scores, labels, NAMES, pairs, threshold=1)
    with pytest.raises(DataError, match="surprise was asked"):
        evaluate_authentication(embeddings, scores[:, :2], labels, NAMES[:2], pairs, threshold=1)
    alone = make_expression_pairs(["a", "a"], ["neutral", "happiness"])
    with pytest.raises(DataError, match="no attack"):
        evaluate_authentication(embeddings[:2], scores[:2], labels[:2], NAMES, alone, threshold=1)
