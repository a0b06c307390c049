from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mien import Gallery, GalleryError, Mien
from mien.gallery import NOBODY, enroll_photos
from mien.gallery.quality import MIN_SHARPNESS, sharpness


@pytest.fixture(scope="module")
def mien():
    return Mien()


@pytest.fixture
def people(path, mien):
    with Gallery(path, mien.contract) as opened:
        yield opened


def test_two_photos_of_one_person(people, mien, examples):
    photos = [examples / "obama.jpg", examples / "obama2.jpg"]
    reports = enroll_photos(people, mien, "Barack Obama", photos, consent="a public figure")
    assert [(report.enrolled, report.problems, report.warnings) for report in reports] == [(True, (), ())] * 2
    assert [sample.source for sample in people.samples("Barack Obama")] == ["obama.jpg", "obama2.jpg"]
    (face,) = mien.analyze(examples / "obama2.jpg")
    np.testing.assert_allclose(people.embeddings("Barack Obama")[1], face.embedding, atol=1e-5)
    assert people.identify(face.embedding).known.name == "Barack Obama"
    (stranger,) = mien.analyze(examples / "biden.jpg")
    assert people.identify(stranger.embedding).known is None


def test_a_photo_of_somebody_else_is_refused(people, mien, examples):
    photos = [examples / "obama.jpg", examples / "biden.jpg"]
    first, second = enroll_photos(people, mien, "Barack Obama", photos, consent="yes")
    assert first.enrolled
    assert not second.enrolled
    assert "unlike the person's other samples" in second.problems[0]
    (again,) = enroll_photos(people, mien, "Barack Obama", [examples / "biden.jpg"], overrule=True)
    assert again.enrolled
    assert "unlike" in again.problems[0]


def test_a_face_that_is_enrolled_under_another_name_is_noticed(people, mien, examples):
    enroll_photos(people, mien, "Barack Obama", [examples / "obama.jpg"], consent="yes")
    (report,) = enroll_photos(people, mien, "Mr President", [examples / "obama2.jpg"], consent="yes")
    assert report.enrolled
    assert report.warnings[0].startswith("looks like Barack Obama, who is enrolled too")


def test_photos_that_will_not_do(people, mien, examples, tmp_path):
    with Image.open(examples / "obama.jpg") as image:
        photo = image.convert("RGB")
    two = Image.new("RGB", (2 * photo.width, photo.height))
    two.paste(photo)
    two.paste(photo, (photo.width, 0))
    small = photo.resize((photo.width // 4, photo.height // 4), Image.Resampling.LANCZOS)
    blurred = photo.filter(ImageFilter.GaussianBlur(6))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    photos = [two, Image.new("RGB", (200, 200)), small, blurred, tmp_path / "broken.jpg"]
    reports = enroll_photos(people, mien, "Ada", photos, consent="yes")
    assert [report.enrolled for report in reports] == [False] * 5
    for report, reason in zip(reports, ("2 faces", "no face", "pixels wide", "blurred", "not an image"), strict=True):
        assert reason in report.problems[0]
    assert people.people() == []
    assert [report.enrolled for report in enroll_photos(people, mien, "Ada", [two], consent="yes", largest=True)] == [
        True
    ]


def test_consent_is_asked_for_before_photos_are_looked_at(people, mien):
    people.enroll("Ada", [0.0] * 128, consent="for a while", expires=datetime(2020, 1, 1, tzinfo=UTC))
    ada = people.person("Ada")

    def never():
        raise AssertionError("a photo was looked at")
        yield

    for name, expected, message in (
        ("Bo", None, "Bo is new and has given no consent"),
        ("Ada", ada.number, "the consent of Ada ended on 2020-01-01"),
        ("Ada", NOBODY, "Ada is enrolled already"),
        ("Bo", ada.number, "Bo was removed meanwhile"),
        (" ", None, "no readable text"),
    ):
        with pytest.raises(GalleryError, match=message):
            enroll_photos(people, mien, name, never(), expected=expected)
    assert people.people() == [ada]


def test_photos_are_not_kept(people, mien, examples):
    """Nothing as large as a photo, or even a thumbnail, is written."""
    before = people.path.stat().st_size
    enroll_photos(people, mien, "Barack Obama", [examples / "obama.jpg"], consent="yes")
    people.finish_removals()
    assert people.path.stat().st_size - before < 8192
    blobs = people._reader.execute("SELECT embedding FROM samples").fetchall()
    assert [len(blob) for (blob,) in blobs] == [4 * mien.contract.embedding_size]


def test_another_models_faces_are_refused(path, mien, tiny_contract, examples):
    with Gallery(path, tiny_contract) as other, pytest.raises(GalleryError, match="holds embeddings of tiny-1"):
        enroll_photos(other, mien, "Ada", [examples / "obama.jpg"], consent="yes")


def test_sharpness_of_known_pictures():
    checks = np.indices((8, 8)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    # The Laplacian of a chessboard is +-4 * 255 everywhere; weights sum to 1.
    assert sharpness(picture) == pytest.approx((4 * 255) ** 2, rel=1e-5)
    ramp = np.repeat(np.arange(8, dtype=np.uint8)[None, :, None], 8, axis=0).repeat(3, axis=2)
    assert sharpness(ramp) == pytest.approx(0, abs=1e-8)
    assert sharpness(picture) > MIN_SHARPNESS
