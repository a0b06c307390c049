from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.calibration import calibrate_pairs, calibrate_people
from mien.calibration.sources import PhotoPair, index_pairs
from mien.calibration.trials import ALWAYS_MISSED, identification_trials
from mien.drawing import calibration_svg
from mien.errors import DataError
from mien.gallery import Thresholds
from mien.types import Expression

SMILE, NEUTRAL = Expression.HAPPINESS, Expression.NEUTRAL


def crowd(people=40, photos=4, size=8, spread=0.25, seed=0):
    """People as points, photos scattered around them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, size))
    vectors = np.repeat(centres, photos, axis=0) + spread * rng.normal(size=(people * photos, size))
    return vectors.astype(np.float32), [f"p{k:02d}" for k in range(people) for _ in range(photos)]


def all_distances(vectors):
    return np.linalg.norm(vectors[:, None].astype(np.float64) - vectors[None], axis=2)


def test_the_threshold_keeps_to_the_far_and_the_next_does_not():
    vectors, names = crowd()
    found = calibrate_people(vectors, names, model_id="m", far=0.01, bootstrap=50).verification
    distances = all_distances(vectors)
    rows, columns = np.triu_indices(len(names), k=1)
    different = np.array(names)[rows] != np.array(names)[columns]
    impostors, genuine = distances[rows, columns][different], distances[rows, columns][~different]
    assert (found.impostors, found.genuine, found.people) == (len(impostors), len(genuine), 40)
    assert found.far == pytest.approx(np.mean(impostors <= found.threshold))
    assert found.frr == pytest.approx(np.mean(genuine > found.threshold))
    assert found.far <= 0.01
    beyond = np.min(np.concatenate([impostors, genuine])[np.concatenate([impostors, genuine]) > found.threshold])
    assert np.mean(impostors <= beyond) > 0.01
    assert found.far_interval.low <= found.far <= found.far_interval.high
    assert found.threshold_interval.low <= found.threshold <= found.threshold_interval.high
    assert found.warning == ""


def test_identification_is_a_photo_against_everybody_else():
    vectors, names = crowd(people=12, photos=3, spread=0.9)
    found = calibrate_people(vectors, names, model_id="m", far=0.1, bootstrap=50)
    distances, who = all_distances(vectors), np.array(names)
    np.fill_diagonal(distances, np.inf)
    stranger = np.where(who[:, None] != who, distances, np.inf).min(axis=1)
    own = np.where(who[:, None] == who, distances, np.inf).min(axis=1)
    threshold = found.identification.threshold
    assert found.gallery_size == 11
    assert found.identification.far == pytest.approx(np.mean(stranger <= threshold))
    assert found.identification.far <= 0.1
    assert found.identification.frr == pytest.approx(np.mean((own > threshold) | (own >= stranger)))
    assert np.mean(own >= stranger) > 0.05  # so that the second condition matters
    assert found.identification.threshold < found.verification.threshold  # one of many strangers is nearer than any


def test_a_person_with_one_photo_is_an_impostor_only():
    trials = identification_trials(np.array([[0.0], [1.0], [10.0]]), np.array([0, 0, 1]))
    assert trials.distances.tolist() == [1, 1, 10, 9, 9]
    assert trials.same.tolist() == [True, True, False, False, False]
    trials = identification_trials(np.array([[0.0], [3.0], [1.0]]), np.array([0, 0, 1]))
    assert trials.distances[:2].tolist() == [ALWAYS_MISSED, ALWAYS_MISSED]


@pytest.mark.parametrize(("far", "enough"), [(0.02, True), (0.0199, False), (1e-3, False)])
def test_the_rule_of_three(far, enough):
    vectors, names = crowd(people=4, photos=5)  # 6 pairs of people, 25 pairs of photos each: 150 impostor pairs
    found = calibrate_people(vectors, names, model_id="m", far=far, bootstrap=20).verification
    assert found.impostors == 150
    assert (found.warning == "") == enough
    if not enough:
        assert "150 impostor pairs" in found.warning
        assert "may be 0.02" in found.warning
        assert f"at least {int(np.ceil(3 / far))}" in found.warning


def test_expressive_pairs_are_told_apart():
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(30, 8))
    vectors = np.concatenate([centres, centres + 0.01, centres + 0.5]).astype(np.float32)
    labels = [NEUTRAL] * 60 + [SMILE] * 29 + [None]
    names = [f"p{k}" for k in range(30)] * 3
    found = calibrate_people(vectors, names, model_id="m", far=0.05, expressions=labels, bootstrap=20)
    same, different = found.expressions
    assert (same.same_expression, same.pairs, same.people) == (True, 30, 30)
    assert (different.same_expression, different.pairs, different.people) == (False, 58, 29)
    assert same.median == pytest.approx(0.01 * np.sqrt(8), rel=1e-3)
    assert different.median == pytest.approx(0.495 * np.sqrt(8), rel=0.02)
    assert same.accepted == 1.0
    assert calibrate_people(vectors, names, model_id="m", far=0.05, bootstrap=20).expressions == ()


def test_the_interval_covers_the_threshold_of_the_whole_population():
    """Of 40 samples of 25 people, most 95 % intervals hold the threshold of 600 people."""
    truth = calibrate_people(*crowd(people=600, photos=2, seed=99), model_id="m", far=0.05, bootstrap=20).verification
    hits = 0
    for seed in range(40):
        found = calibrate_people(*crowd(people=25, photos=2, seed=seed), model_id="m", far=0.05, bootstrap=100)
        interval = found.verification.threshold_interval
        hits += interval.low <= truth.threshold <= interval.high
    assert hits >= 32


def test_what_cannot_be_calibrated_on():
    vectors, names = crowd(people=2, photos=2)
    for arguments, message in (
        ({"far": 0.0}, "between 0 and 1"),
        ({"far": 1.0}, "between 0 and 1"),
        ({"identities": ["a"] * 4}, "1 people with 6 genuine pairs"),
        ({"identities": list("abcd")}, "4 people with 0 genuine pairs"),
        ({"identities": ["a"]}, "one for each"),
    ):
        with pytest.raises(DataError, match=message):
            calibrate_people(vectors, arguments.pop("identities", names), model_id="m", **arguments)


def test_thresholds_survive_as_text():
    vectors, names = crowd(people=6)
    found = calibrate_people(vectors, names, model_id="m", far=0.1, bootstrap=20)
    chosen = found.thresholds
    assert Thresholds.from_json(chosen.to_json()) == chosen
    assert (chosen.verification, chosen.gallery_size) == (found.verification.threshold, 5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_pairs_are_joined_to_people(seed):
    """Pairs of known people, in any order, give back the people as far as pairs join them."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 5, 15)
    draws = rng.integers(0, 15, (30, 2))
    pairs = [PhotoPair(f"{a}", f"{b}", bool(who[a] == who[b])) for a, b in draws.tolist()]
    found = index_pairs(pairs, [f"{k}" for k in range(15)])
    assert len(found) == len(set(pairs))
    assert ((found.person_first == found.person_second) == found.same).all()
    people = {}
    for photo, person in zip((*found.first, *found.second), (*found.person_first, *found.person_second), strict=True):
        people.setdefault(int(person), set()).add(int(who[photo]))
    assert all(len(own) == 1 for own in people.values())


def test_contradictions_and_missing_photos():
    pairs = [PhotoPair("a", "b", True), PhotoPair("b", "c", True), PhotoPair("a", "c", False)]
    with pytest.raises(DataError, match="a and c are given as different people, and as one by other pairs"):
        index_pairs(pairs, ["a", "b", "c"])
    assert len(index_pairs(pairs, ["a", "c"])) == 1


def test_pairs_give_a_threshold_for_verification_alone():
    vectors, names = crowd(people=10, photos=2)
    pairs = [
        PhotoPair(f"{a}", f"{b}", names[a] == names[b])
        for a in range(20)
        for b in range(a)
        if names[a] == names[b] or (a + b) % 3
    ]
    found = calibrate_pairs(
        vectors, index_pairs(pairs, [f"{k}" for k in range(20)]), model_id="m", far=0.1, bootstrap=20
    )
    assert found.identification is None
    assert (found.verification.genuine, found.verification.people) == (10, 20 - 10)
    assert found.thresholds.identification == found.verification.threshold


def test_the_chart_is_sound_and_shows_what_it_should():
    vectors, names = crowd(people=6)
    found = calibrate_people(vectors, names, model_id="<m>", far=1e-3, bootstrap=20)
    root = ET.fromstring(calibration_svg(found))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("<m>" in text for text in texts)
    assert texts.count(f"threshold {found.verification.threshold:.3f}") == 2
    assert any(text.startswith("Warning: a FAR of 0.001") for text in texts)
    assert {"genuine", "impostor", "FAR", "FRR"} <= set(texts)
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    for element in root.iter("{http://www.w3.org/2000/svg}polyline"):
        points = np.array([[float(v) for v in point.split(",")] for point in element.attrib["points"].split()])
        assert (points >= 0).all()
        assert (points <= [width, height]).all()
        assert (np.diff(points[:, 0]) >= 0).all()


def test_mixed_up_people_are_suspected():
    vectors, names = crowd()
    mixed = np.random.default_rng(1).permutation(names).tolist()
    (warning,) = calibrate_people(vectors, mixed, model_id="m", far=0.1, bootstrap=10).warnings
    assert "genuine pairs would be refused" in warning
    assert calibrate_people(vectors, names, model_id="m", far=0.1, bootstrap=10).warnings == ()
