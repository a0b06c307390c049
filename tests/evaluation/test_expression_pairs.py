from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation import PairKind, make_expression_pairs

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


def sequences(shown: dict[str, tuple[str, ...]]):
    """As in CK+ and Oulu-CASIA: of each sequence one neutral frame and three of its expression."""
    photos = [
        (person, label) for person, names in shown.items() for name in names for label in ("neutral", *[name] * 3)
    ]
    return [person for person, _ in photos], [label for _, label in photos]


def test_a_fold_of_oulu_casia_has_the_official_counts():
    pairs = make_expression_pairs(*sequences({f"P{k:03d}": SIX for k in range(8)}))
    assert len(np.unique(pairs.reference)) == 48
    assert len(pairs) == 384
    assert set(pairs.counts().values()) == {96}


def test_a_fold_of_ck_has_the_official_counts():
    # 28 sequences; where somebody lacks happiness or surprise, only the first kind is missing.
    shown = {
        **{f"A{k}": ("happiness", "surprise", "anger") for k in range(5)},  # 15 references, 30 genuine
        **{f"B{k}": ("happiness", "anger") for k in range(3)},  # 6 and 6
        "C": ("surprise", "fear"),  # 2 and 2
    }
    shown |= {"D": ("anger", "fear", "sadness"), "E": ("sadness", "disgust")}
    pairs = make_expression_pairs(*sequences(shown))
    assert len(np.unique(pairs.reference)) == 28
    assert list(pairs.counts().values()) == [38, 56, 56, 56]
    assert len(pairs) == 206


labels = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["neutral", *SIX[:4], "surprise", None])),
    max_size=40,
).map(lambda more: [("a", "neutral"), ("a", "happiness"), *more])


@given(labels, st.integers(0, 99))
def test_pairs_are_of_the_kind_they_say(photos, seed):
    people, shown = zip(*photos, strict=True)
    pairs = make_expression_pairs(people, shown, seed=seed)
    for reference, probe, required, kind in zip(pairs.reference, pairs.probe, pairs.required, pairs.kind, strict=True):
        assert shown[reference] == "neutral"
        assert probe != reference
        assert people[reference] is not None
        assert people[probe] is not None
        assert shown[probe] is not None
        same, right = people[probe] == people[reference], shown[probe] == pairs.names[required]
        assert (
            list(PairKind)[kind]
            == {
                (True, True): PairKind.GENUINE,
                (True, False): PairKind.WRONG_EXPRESSION,
                (False, True): PairKind.WRONG_PERSON,
                (False, False): PairKind.BOTH_WRONG,
            }[same, right]
        )
    again = make_expression_pairs(people, shown, seed=seed)
    assert (again.probe == pairs.probe).all()
    # nothing is missing that could be there
    for reference in range(len(photos)):
        if shown[reference] == "neutral" and people[reference]:
            asked = {name for name in pairs.names if (people[reference], name) in photos}
            made = pairs.required[(pairs.reference == reference) & (pairs.kind == 0)]
            assert {pairs.names[k] for k in made} == asked


def test_impostors_are_drawn_evenly_over_people():
    people = ["a"] * 2 + ["b"] * 400 + [f"c{k}" for k in range(99)]
    shown = ["neutral", "happiness"] + ["happiness"] * 499
    probes = [make_expression_pairs(people, shown, seed=seed) for seed in range(100)]
    from_b = sum(people[pairs.probe[pairs.kind == 2][0]] == "b" for pairs in probes)
    assert from_b < 10


def test_what_makes_no_pairs_is_refused():
    with pytest.raises(DataError, match="nobody"):
        make_expression_pairs(["a", "b"], ["neutral", "happiness"])
    with pytest.raises(DataError, match="do not fit"):
        make_expression_pairs(["a"], ["neutral", "happiness"])
