"""The parts of the accuracy benchmark that need no photo archive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from _expression import recall_figures, summary_figures
from _guard import public_test_figures, recipe_of, used_people
from _identity import Systems
from _on_examples import on_examples
from _on_fer2013 import SEVEN, votes_of
from _on_lfw_expressions import DATA, group_of_people
from _on_london import expression_figures
from _report import Target
from _views import MODEL, SFACE, SYSTEMS, Views, aligned_to, is_aligned
from sklearn.metrics import roc_auc_score

from mien import Mien
from mien.alignment import ALIGNMENTS, DLIB_TEMPLATE, align, resize_crop
from mien.datasets import Sample, SampleSet, split_by_person
from mien.errors import DataError, RecipeError
from mien.evaluation import summarize_expression
from mien.images import load_image
from mien.thresholds import Threshold, ThresholdTable
from mien.training.groups import read_groups
from mien.types import Expression, FoundBy


def photos(people):
    return SampleSet(DATA, tuple(Sample(f"{k:05d}", Path("x"), identity=name) for k, name in enumerate(people)))


def views(embeddings, people, expressions=None):
    samples = tuple(Sample(f"{k}", Path("x"), identity=str(person)) for k, person in enumerate(people))
    expressions = np.full((len(people), 2), 0.5) if expressions is None else expressions
    ways = {"mien": (FoundBy.PHOTO,) * len(people), "dlib": (FoundBy.PHOTO,) * len(people)}
    return Views(samples, dict(zip(SYSTEMS, embeddings, strict=True)), expressions, ways, ())


def test_the_guard_finds_whom_a_recipe_uses():
    listed = read_groups("lfw-expressions-groups.csv")
    everybody = photos(listed)
    trained, chosen = used_people(recipe_of("mien-s1-0123456789ab", None), DATA, everybody)
    assert trained == {person for person, group in listed.items() if group == "train"}
    assert chosen == {person for person, group in listed.items() if group == "choose"}
    assert not (trained | chosen) & set(group_of_people(everybody, "report").people)

    shipped = recipe_of("mien-s1-0123456789ab", None)
    recipe = shipped.changed({f"sources.{number}.groups": None for number in range(2)} | {"sources.1.validation": 0.1})
    first, second = split_by_person(everybody, 0.1, recipe.seed_of_split)
    assert used_people(recipe, DATA, everybody) == (set(first.people), set(second.people))
    assert set(first.people) & set(group_of_people(everybody, "report").people)


def test_the_recipe_is_the_one_given_or_of_the_models_name():
    assert recipe_of("mine-0123456789ab", "mien-s1").name == "mien-s1"
    assert recipe_of("mine", None) is None
    with pytest.raises(RecipeError, match="there is no recipe nothing"):
        recipe_of("mine-0123456789ab", "nothing")


def test_public_test_photos_count_as_trained_on_unless_the_recipe_holds_them_out():
    recipe = recipe_of("mien-s1", None)
    open_source = recipe.sources[0].model_copy(update={"held_out": ()})
    careless = recipe.model_copy(update={"sources": (open_source, *recipe.sources[1:])})
    assert [figure.value for figure in public_test_figures(recipe, 250, 3589)] == [250, 0]
    assert [figure.value for figure in public_test_figures(careless, 250, 3589)] == [250, 250]
    assert len(public_test_figures(None, 250, 3589)) == 1


def test_people_of_a_group():
    everybody = photos(["AJ_Cook", "AJ_Lamas", "AJ_Cook", "unlisted"])  # choose, train
    assert group_of_people(everybody, "choose").people == ["AJ_Cook"]
    assert group_of_people(everybody, "all") is everybody
    with pytest.raises(DataError, match="nobody of the group 'report'"):
        group_of_people(everybody, "report")


def test_votes_are_joined_by_name_and_uncertain_ones_left_out(tmp_path):
    header = "path,split,pixel_mse,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    (tmp_path / "ferplus.csv").write_text(
        header
        + "fer2013/test/angry/PublicTest_1.jpg,PublicTest,3.2,1,0,2,0,6,0,0,0,1,0\n"
        + "fer2013/test/angry/PublicTest_2.jpg,PublicTest,60.1,0,0,0,0,10,0,0,0,0,0\n"
        + "fer2013/test/angry/PublicTest_3.jpg,PublicTest,,,,,,,,,,,\n"
    )
    names = [f"test/angry/PublicTest_{k}.jpg" for k in (3, 2, 1, 4)]
    votes = votes_of(SampleSet("fer2013", tuple(Sample(n, Path("x")) for n in names)), tmp_path / "ferplus.csv")
    assert votes.sum(axis=1).tolist() == [0, 0, 10, 0]
    found = dict(zip([*SEVEN, "contempt", "unknown", "nf"], votes[2].tolist(), strict=True))
    assert {name: count for name, count in found.items() if count} == {
        "neutral": 1,
        "surprise": 2,
        "anger": 6,
        "unknown": 1,
    }


def test_faces_are_aligned_as_each_network_was_trained(examples):
    mien = Mien(threads=1)
    pixels = load_image(examples / "obama.jpg")
    crop = mien.largest_crop(pixels)
    assert is_aligned(mien.contract, ALIGNMENTS["arcface"])
    assert aligned_to("arcface", pixels, crop, mien.contract) is crop.pixels
    found = aligned_to("dlib", pixels, crop, mien.contract)
    np.testing.assert_array_equal(found, align(pixels, crop.landmarks, DLIB_TEMPLATE, 150))
    whole = aligned_to("dlib", pixels, replace(crop, landmarks=None), mien.contract)
    np.testing.assert_array_equal(whole, resize_crop(pixels, 150))
    dlib = replace(mien.contract, crop_size=150, template=DLIB_TEMPLATE, landmark_weights=None)
    assert is_aligned(dlib, ALIGNMENTS["dlib"])
    assert aligned_to("dlib", pixels, crop, dlib) is crop.pixels
    assert not is_aligned(replace(dlib, landmark_weights=(1.0,) * 5), ALIGNMENTS["dlib"])


def test_systems_are_compared_on_the_same_pairs():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(60), 3)
    good = rng.normal(size=(60, 16))[people] + 0.3 * rng.normal(size=(180, 16))
    bad = good + 0.6 * rng.normal(size=good.shape)
    table = ThresholdTable.of(Threshold(3.0, 0.01, "drawn"))
    systems = Systems(views([bad, good, good, good], people), table)
    figures = {figure.name: figure for figure in systems.figures()}
    assert figures[f"{SFACE}: TAR at FAR 0.01"].n == "60 people, 180 + 15930 pairs"
    lost = figures["the model minus SFace: TAR at FAR 0.001"]
    assert lost.value == pytest.approx(
        figures[f"{MODEL}: TAR at FAR 0.001"].value - figures[f"{SFACE}: TAR at FAR 0.001"].value
    )
    assert lost.low < lost.value < lost.high < 0
    assert lost.target == Target(-0.01, "at least")
    far, tar = systems.threshold_figures()
    distances = np.linalg.norm(bad[:, None] - bad[None], axis=2)
    other = people[:, None] != people[None]
    assert far.value == pytest.approx((distances[other] <= 3.0).mean())
    assert tar.name == "TAR at 3.000, chosen for FAR 0.01"


def test_smiling_is_told_from_neutral_by_score_and_by_class():
    classes = (Expression.NEUTRAL, Expression.HAPPINESS, Expression.FEAR)
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2], [0.2, 0.1, 0.7]])
    labels = [0, 1, 0, 1, 1]
    samples = tuple(
        Sample(f"{k}", Path("x"), identity=f"{k // 2}", expression=classes[label]) for k, label in enumerate(labels)
    )
    ways = {"mien": ("detected", "padded", "detected", "detected", "detected"), "dlib": ()}
    figures = {f.name: f for f in expression_figures(Views(samples, {}, scores, ways, ()), classes)}
    ratio = scores[:, 1] / (scores[:, 0] + scores[:, 1])
    area = figures["area under the ROC, happiness / (happiness + neutral)"].value
    assert area == pytest.approx(roc_auc_score(labels, ratio))
    assert figures["area under the ROC, happiness"].value == pytest.approx(roc_auc_score(labels, scores[:, 1]))
    assert figures["right one of the two on top"].value == pytest.approx(2 / 5)
    assert figures["right one on top of all classes: smiling"].value == pytest.approx(1 / 3)
    assert figures["right one on top of all classes: smiling"].n == "3 photos"


def test_expression_figures_stand_beside_their_base_rate():
    summary = summarize_expression(np.eye(2)[[0, 0, 1]] * 0.8 + 0.1, np.array([0, 0, 0]), ["neutral", "fear"])
    accuracy, recall, error = summary_figures("here", summary, {"accuracy": Target(0.5, "at least")})
    assert (accuracy.name, accuracy.note, accuracy.target) == (
        "here: accuracy",
        "base rate 100.0 %",
        Target(0.5, "at least"),
    )
    assert (recall.value, recall.note) == (pytest.approx(2 / 3), "of neutral")
    assert error.value == pytest.approx(0.9 - 2 / 3)
    assert [figure.name for figure in recall_figures("here", summary)] == ["here: recall of neutral"]


def test_example_photos_lie_on_both_sides_of_the_threshold():
    figures = on_examples(Mien(threads=1)).figures
    assert [figure.target.kind for figure in figures] == ["at most", "at least", "at least"]
    assert all(figure.target.met(figure.value) for figure in figures)
