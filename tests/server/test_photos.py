from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from services import problem

from mien import Mien


@pytest.fixture(scope="module")
def mien():
    return Mien()


def test_analysis_is_that_of_the_library(shared, photo, mien):
    (expected,) = mien.analyze(photo("obama"))
    answer = shared.post("/v1/analyze", content=photo("obama"), headers={"Content-Type": "image/jpeg"}).json()
    assert answer["model"] == mien.contract.model_id
    (face,) = answer["faces"]
    box = expected.box
    assert face["box"] == pytest.approx([box.left, box.top, box.right, box.bottom], abs=0.01)
    assert face["expression"] == expected.expression.top == "happiness"
    assert list(face["probabilities"]) == list(mien.contract.expressions)
    assert face["probabilities"] == pytest.approx({k.value: v for k, v in expected.expression.items()}, abs=1e-6)
    assert np.allclose(face["landmarks"], expected.landmarks, atol=0.01)
    assert face["embedding"] is None


def test_embeddings_only_when_asked_for(shared, photo, mien):
    (expected,) = mien.analyze(photo("obama"))
    answer = shared.post("/v1/analyze?embeddings=true", files={"photo": photo("obama")}).json()
    np.testing.assert_allclose(answer["faces"][0]["embedding"], expected.embedding, rtol=1e-5, atol=1e-6)


def test_a_form_and_a_bare_body_are_the_same(shared, photo):
    bare = shared.post("/v1/analyze", content=photo("biden"), headers={"Content-Type": "application/octet-stream"})
    assert shared.post("/v1/analyze", files={"photo": photo("biden")}).json() == bare.json()


def test_a_photo_without_a_face_has_none(shared):
    assert shared.post("/v1/analyze", files={"photo": grey(200, 200)}).json()["faces"] == []


@pytest.mark.parametrize(("other", "same"), [("obama2", True), ("biden", False)])
def test_verification_is_that_of_the_library(shared, photo, mien, other, same):
    expected = mien.verify(photo("obama"), photo(other))
    answer = shared.post("/v1/verify", files={"a": photo("obama"), "b": photo(other)}).json()
    assert answer["same"] is same is expected.same
    assert answer["distance"] == pytest.approx(expected.distance, abs=1e-5)
    assert answer["threshold"] == expected.threshold
    assert (answer["faces_in_a"], answer["faces_in_b"]) == (1, 1)


def test_a_given_threshold_decides(shared, photo):
    files = {"a": photo("obama"), "b": photo("obama2")}
    assert shared.post("/v1/verify?threshold=0.1", files=files).json()["same"] is False
    assert shared.post("/v1/verify?threshold=5", files=files).json()["same"] is True


def test_verification_needs_faces(shared, photo):
    files = {"a": photo("obama"), "b": grey(200, 200)}
    assert "photo b" in problem(shared.post("/v1/verify", files=files), 422, "no_face")["detail"]


def test_identification_knows_who_is_enrolled_and_nobody_else(enrolled, photo):
    (face,) = enrolled.post("/v1/identify", files={"photo": photo("obama2")}).json()["faces"]
    assert face["known"] == "Barack Obama"
    assert face["matches"][0]["distance"] < 0.9
    assert face["expression"] in face["probabilities"]
    (face,) = enrolled.post("/v1/identify", files={"photo": photo("biden")}).json()["faces"]
    assert face["known"] is None
    assert face["matches"][0]["name"] == "Barack Obama"  # the nearest, but not near
    assert enrolled.post("/v1/identify?threshold=5", files={"photo": photo("biden")}).json()["faces"][0]["known"]


@pytest.mark.parametrize("body", [b"", b"no photo", b"\xff\xd8\xff\xe0 cut", b"%!PS-Adobe", b"\0" * 5000])
def test_what_is_no_photo_is_a_problem(shared, body):
    problem(shared.post("/v1/analyze", content=body, headers={"Content-Type": "image/jpeg"}), 422, "photo_unusable")


def test_a_cut_photo_is_a_problem(shared, photo):
    body = photo("obama")[:20000]
    problem(shared.post("/v1/identify", content=body, headers={"Content-Type": "image/jpeg"}), 422, "photo_unusable")


def test_many_at_once_get_their_own_answers(shared, photo, mien):
    """Batches must not mix answers up, whatever fails among them."""
    from concurrent.futures import ThreadPoolExecutor

    names = ["obama", "biden", "obama2", "none", "broken"] * 5
    bodies = {"none": grey(300, 300), "broken": b"no photo"} | {n: photo(n) for n in ("obama", "biden", "obama2")}
    expected = {name: mien.analyze(photo(name))[0].box.left for name in ("obama", "biden", "obama2")}

    def ask(name):
        return shared.post("/v1/analyze", content=bodies[name], headers={"Content-Type": "image/png"})

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(ask, names))
    for name, answer in zip(names, answers, strict=True):
        if name == "broken":
            problem(answer, 422, "photo_unusable")
        elif name == "none":
            assert answer.json()["faces"] == []
        else:
            assert answer.json()["faces"][0]["box"][0] == pytest.approx(expected[name], abs=0.01)


def grey(width, height):
    out = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(out, "PNG")
    return out.getvalue()
