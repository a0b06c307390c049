from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mien import Gallery, Mien, MissingOutputError
from mien.contract import Contract
from mien.errors import ModelError
from mien.outputs import Embedding, Probabilities, Scalar, face_outputs
from mien.runtime import Model
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Expression

VERSION_1 = """{
 "model_id": "tiny-1",
 "crop_size": 8,
 "template": [[2.0, 3.0], [6.0, 3.0], [4.0, 4.5], [2.5, 6.0], [5.5, 6.0]],
 "expressions": ["neutral", "happiness"],
 "embedding_size": 3,
 "threshold": {"distance": 10.0, "far": 0.01, "chosen_on": "nothing"},
 "provenance": "made in a test",
 "terms": "none",
 "metric": "euclidean",
 "landmark_weights": null,
 "version": 1
}"""
"""As files of mien 0.1 have it."""

AGE = Scalar("age", "years", (0.0, 100.0))
GLASSES = Probabilities("glasses", ("none", "sun"))
ALL = ("embedding", "expression", "age", "glasses")


@pytest.fixture
def rich(tiny_contract):
    """A contract with everything that one may have."""
    rows = (
        Threshold(12.0, 0.01, "people", far_interval=(0.005, 0.02), impostor_pairs=10_000),
        Threshold(10.0, 0.001, "people", far_interval=(0.0004, 0.003), impostor_pairs=10_000),
    )
    return replace(
        tiny_contract,
        outputs=(*tiny_contract.outputs, AGE, GLASSES, Embedding("style", 4)),
        thresholds=ThresholdTable(rows, 0.001),
        landmark_weights=(1.0, 1.0, 0.0, 0.0, 0.5),
    )


def test_a_contract_is_read_as_it_was_written(rich, tiny_contract):
    for contract in (rich, tiny_contract, replace(tiny_contract, thresholds=None), rich.without("embedding")):
        assert Contract.from_json(contract.to_json()) == contract


def test_version_1_is_read(tiny_contract):
    assert Contract.from_json(VERSION_1) == tiny_contract
    bare = json.loads(VERSION_1) | {"threshold": None, "embedding_size": 0}
    assert Contract.from_json(json.dumps(bare)) == tiny_contract.without("embedding")


def test_a_model_file_of_version_1_answers_as_it_did(tiny_model, examples, tmp_path):
    """Its embeddings have any length; its gallery stays open to it."""
    mien = Mien(tiny_model(metadata=VERSION_1), threads=1)
    (face,) = mien.analyze(examples / "obama.jpg")
    assert np.linalg.norm(face.embedding) > 10
    assert not mien.contract.normalized
    assert mien.verify(examples / "obama.jpg", examples / "obama.jpg").threshold == 10.0
    with Gallery(tmp_path / "people.db", mien.contract) as gallery:
        gallery.enroll("Ada", face.embedding, consent="yes")
    with Gallery(tmp_path / "people.db", mien.contract) as gallery:
        assert gallery.contract == mien.contract


def test_a_gallery_that_holds_a_contract_of_version_1_is_opened(tmp_path, tiny_contract):
    path = tmp_path / "people.db"
    with Gallery(path, tiny_contract) as gallery, gallery._writing() as db:
        db.execute("UPDATE gallery SET contract = ?", (VERSION_1,))
    with Gallery(path) as gallery:
        assert gallery.contract == tiny_contract


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "version 3, this mien reads up to 2"),
        ({"outputs": [{"kind": "picture", "name": "x", "width": 1}]}, "unknown kind picture"),
        ({"outputs": [{"kind": "embedding", "name": "x"}]}, "cannot be read"),
        ({"outputs": [{"kind": "embedding", "name": "", "width": 3}]}, "no name of its own"),
        ({"outputs": [{"kind": "embedding", "name": "embedding", "width": 3}] * 2}, "no name of its own"),
        ({"outputs": [{"kind": "embedding", "name": "embedding", "width": 0}]}, "no width"),
        ({"outputs": [{"kind": "embedding", "name": "expression", "width": 3}]}, "of kind embedding, against its name"),
        ({"outputs": [{"kind": "probabilities", "name": "expression", "width": 1, "classes": ["joy"]}]}, "joy"),
        ({"outputs": [{"kind": "probabilities", "name": "x", "width": 3, "classes": ["a", "b"]}]}, "2 classes"),
        ({"outputs": [{"kind": "probabilities", "name": "x", "width": 2, "classes": ["a", "a"]}]}, "a class twice"),
        ({"outputs": [{"kind": "scalar", "name": "x", "width": 1, "unit": "", "range": [1, 1]}]}, "the range"),
        ({"outputs": [{"kind": "scalar", "name": "x", "width": 2, "unit": "", "range": [0, 1]}]}, "a width of 2"),
        ({"thresholds": {"rows": [], "default_far": 0.1}}, "no threshold has the default FAR"),
        ({"thresholds": {"rows": [{"distance": 1, "far": 0, "chosen_on": ""}], "default_far": 0}}, "cannot be"),
        ({"metric": "cosine"}, "not one that this mien understands"),
    ],
)
def test_a_contract_against_itself_is_refused(tiny_contract, changes, message):
    record = tiny_contract.to_record() | changes
    with pytest.raises(ModelError, match=message) as raised:
        Contract.from_json(json.dumps(record))
    assert "\n" not in str(raised.value)


def test_what_a_model_lacks_is_one_error(tiny_contract):
    with pytest.raises(MissingOutputError, match="model tiny-1 has no identity output; use one with an embedding"):
        tiny_contract.without("embedding").require_identity()
    with pytest.raises(MissingOutputError, match="model tiny-1 has no expression output; use one with expressions"):
        tiny_contract.without("expression").require_expression()
    with pytest.raises(ModelError, match="recommends no threshold; run `mien calibrate`"):
        replace(tiny_contract, thresholds=None).require_thresholds()
    tiny_contract.require_identity()
    tiny_contract.require_expression()
    assert tiny_contract.require_thresholds().default == tiny_contract.threshold


def test_outputs_have_names(tiny_model, tiny_contract):
    contract = replace(tiny_contract, outputs=(*tiny_contract.outputs, AGE, GLASSES))
    mien = Mien(tiny_model(contract, outputs=ALL), threads=1)
    crop = np.full((8, 8, 3), (30, 2, 1), np.uint8)
    (face,) = mien.analyze(crop, detect=False)
    assert face.outputs["age"] == pytest.approx(30)
    assert face.outputs["glasses"].top == "none"
    assert face.outputs["glasses"]["sun"] == pytest.approx(1 / (1 + np.e), abs=1e-6)
    assert set(face.outputs) == {"age", "glasses"}
    np.testing.assert_allclose(face.embedding, [30, 2, 1])
    assert face.expression.top is Expression.NEUTRAL


def test_an_output_that_the_contract_does_not_name_is_refused(tiny_model, tiny_contract):
    with pytest.raises(ModelError, match="has the output age, against its contract"):
        Model(tiny_model(tiny_contract, outputs=ALL[:3]))
    lacking = replace(tiny_contract, outputs=(*tiny_contract.outputs, AGE))
    with pytest.raises(ModelError, match="lacks the output age, against its contract"):
        Model(tiny_model(lacking))


def test_a_promised_length_is_checked(tiny_model, tiny_contract):
    promised = replace(tiny_contract, outputs=face_outputs(3, tiny_contract.expressions))
    model = Model(tiny_model(promised))
    with pytest.raises(ModelError, match="whose length is not 1"):
        model.run(np.full((1, 8, 8, 3), 9, np.uint8))
    assert model.run(np.empty((0, 8, 8, 3), np.uint8))["embedding"].shape == (0, 3)
