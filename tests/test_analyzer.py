from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import Mien
from mien.errors import ImageError, ModelError, NoFaceError
from mien.types import ImageFailure


@pytest.fixture(scope="module")
def mien():
    return Mien()


@pytest.fixture(scope="module")
def photos(examples):
    return [examples / name for name in ("obama.jpg", "obama2.jpg", "biden.jpg")]


def picture(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def same_faces(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.box, a.score, a.aligned) == (b.box, b.score, b.aligned)
        np.testing.assert_allclose(a.embedding, b.embedding, atol=1e-5)
        np.testing.assert_allclose(a.expression.probabilities, b.expression.probabilities, atol=1e-5)


def test_a_face_has_all_its_parts(mien, photos):
    (face,) = mien.analyze(photos[0])
    assert face.aligned
    assert 0.9 < face.score <= 1
    assert face.landmarks.shape == (5, 2)
    assert face.embedding.shape == (mien.contract.embedding_size,)
    assert face.embedding.dtype == np.float32
    assert sum(face.expression.values()) == pytest.approx(1, abs=1e-4)
    assert tuple(face.expression) == mien.contract.expressions
    inside = (face.landmarks > [face.box.left, face.box.top]) & (face.landmarks < [face.box.right, face.box.bottom])
    assert inside.all()


def test_all_kinds_of_source_give_the_same(mien, photos):
    faces = mien.analyze(photos[0])
    image = picture(photos[0])
    for source in (str(photos[0]), photos[0].read_bytes(), image, np.asarray(image)):
        same_faces(mien.analyze(source), faces)


def test_orientation_is_applied(mien, photos, tmp_path):
    upright = picture(photos[0])
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    same_faces(mien.analyze(tmp_path / "turned.png"), mien.analyze(upright))


def test_faces_are_sorted_by_area(mien, photos):
    big, small = picture(photos[0]), picture(photos[2])
    both = Image.new("RGB", (big.width + small.width, max(big.height, small.height)))
    both.paste(small, (0, 0))
    both.paste(big, (small.width, 0))
    faces = mien.analyze(both)
    assert len(faces) == 2
    assert faces[0].box.left > small.width
    assert faces[0].box.area > faces[1].box.area


def test_without_detection_the_whole_image_is_the_face(mien, photos):
    (face,) = mien.analyze(photos[0], detect=False)
    width, height = picture(photos[0]).size
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == (0, 0, width, height)
    assert not face.aligned
    assert face.landmarks is None
    assert face.score == 1
    assert face.embedding is not None


def test_the_detector_is_loaded_when_needed():
    mien = Mien(min_face=1)
    assert len(mien.analyze(np.zeros((9, 9, 3), np.uint8), detect=False)) == 1
    with pytest.raises(ValueError, match="min_face"):
        mien.analyze(np.zeros((9, 9, 3), np.uint8))


def test_no_face_is_an_empty_list_and_no_image_an_error(mien, tmp_path):
    assert mien.analyze(np.zeros((300, 400, 3), np.uint8)) == []
    assert mien.analyze(np.zeros((1, 1, 3), np.uint8)) == []
    with pytest.raises(ImageError, match=r"nothing\.jpg"):
        mien.analyze(tmp_path / "nothing.jpg")


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_batches_keep_order_and_give_errors_their_place(mien, photos, tmp_path, batch_size):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photos[0].read_bytes()[:500])
    empty = np.zeros((200, 200, 3), np.uint8)
    images = [photos[2], broken, empty, photos[0], b"no image", photos[1]]
    results = mien.analyze_batch(images, batch_size=batch_size)
    assert [type(result) for result in results] == [list, ImageFailure, list, list, ImageFailure, list]
    assert results[1].source == str(broken)
    assert str(broken) in results[1].message
    assert results[4].source == "image 5"
    assert "image 5" in results[4].message
    assert results[2] == []
    for position in (0, 3, 5):
        same_faces(results[position], mien.analyze(images[position]))


def test_batches_of_crops(mien, photos):
    results = mien.analyze_batch((photo for photo in photos), detect=False)
    for result, photo in zip(results, photos, strict=True):
        same_faces(result, mien.analyze(photo, detect=False))
    assert mien.analyze_batch([]) == []


def test_results_stream_before_all_images_are_read(mien, photos):
    asked = []

    def images():
        for number in range(100):
            asked.append(number)
            yield photos[0] if number % 2 else np.zeros((100, 100, 3), np.uint8)

    stream = mien.analyze_stream(images(), batch_size=3)
    for _ in range(8):
        next(stream)
    assert len(asked) <= 12


@pytest.mark.parametrize("single", ["photo.jpg", b"bytes", np.zeros((4, 4, 3), np.uint8), Image.new("L", (4, 4))])
def test_a_single_image_is_no_batch(mien, single):
    with pytest.raises(ImageError, match="put it into a list"):
        mien.analyze_batch(single)


def test_batch_size_is_checked_at_once(mien):
    with pytest.raises(ValueError, match="batch_size is 0"):
        mien.analyze_stream([], batch_size=0)


def test_verify(mien, photos):
    same = mien.verify(photos[0], photos[1])
    other = mien.verify(photos[0], photos[2].read_bytes())
    assert same.same
    assert not other.same
    assert same.distance < same.threshold < other.distance
    assert same.threshold == mien.contract.threshold.distance
    assert same.distance == pytest.approx(np.linalg.norm(same.face_a.embedding - same.face_b.embedding), abs=1e-5)
    assert (same.faces_in_a, same.faces_in_b) == (1, 1)
    assert not mien.verify(photos[0], photos[1], threshold=same.distance - 0.01).same
    assert mien.verify(photos[0], photos[0]).distance == pytest.approx(0, abs=1e-4)


def test_verify_takes_the_largest_face_and_says_so(mien, photos):
    big, small = picture(photos[0]), picture(photos[2])
    both = Image.new("RGB", (big.width + small.width, max(big.height, small.height)))
    both.paste(small, (0, 0))
    both.paste(big, (small.width, 0))
    result = mien.verify(both, photos[1])
    assert result.same
    assert (result.faces_in_a, result.faces_in_b) == (2, 1)
    assert result.face_a.box.left > small.width


def test_verify_names_the_photo_without_a_face(mien, photos, tmp_path):
    Image.new("RGB", (200, 200)).save(tmp_path / "black.png")
    with pytest.raises(NoFaceError, match=r"black\.png"):
        mien.verify(photos[0], tmp_path / "black.png")
    with pytest.raises(NoFaceError, match="image 2"):
        mien.verify(photos[0], np.zeros((200, 200, 3), np.uint8))
    with pytest.raises(ImageError, match="image 1"):
        mien.verify(b"", photos[0])


def test_models_with_one_branch(tiny_model, tiny_contract, photos):
    identity = Mien(tiny_model(tiny_contract.without("expression"), outputs=("embedding",)))
    (face,) = identity.analyze(photos[0])
    assert face.expression is None
    assert face.embedding.shape == (3,)
    expression = Mien(tiny_model(tiny_contract.without("embedding"), outputs=("expression",)))
    (face,) = expression.analyze(photos[0])
    assert face.embedding is None
    assert len(face.expression) == 2
    with pytest.raises(ModelError, match="no identity output"):
        expression.verify(photos[0], photos[1], threshold=1.0)


def test_a_model_without_a_threshold_needs_one(tiny_model, tiny_contract, photos):
    mien = Mien(tiny_model(replace(tiny_contract, thresholds=None)))
    with pytest.raises(ModelError, match="recommends no threshold"):
        mien.verify(photos[0], photos[1])
    assert mien.verify(photos[0], photos[1], threshold=1000.0).same


def test_crops_are_what_the_network_sees(mien, photos):
    (crop,) = mien.crops(photos[0])
    size = mien.contract.crop_size
    assert crop.pixels.shape == (size, size, 3)
    (face,) = mien.analyze(photos[0])
    np.testing.assert_allclose(mien.model.run(crop.pixels[None])["embedding"][0], face.embedding, atol=1e-5)


def test_largest_crop_falls_back(mien, photos):
    crop = mien.largest_crop(photos[0])
    assert crop.found_by == "photo"
    assert (crop.pixels == mien.crops(photos[0])[0].pixels).all()
    box = crop.box
    tight = picture(photos[0]).crop((box.left + 20, box.top + 40, box.right - 20, box.bottom - 7))
    padded = mien.largest_crop(tight)
    assert padded.found_by == "border"
    corner = np.array([box.left + 20, box.top + 40])
    np.testing.assert_allclose(padded.landmarks + corner, crop.landmarks, atol=15)
    whole = mien.largest_crop(np.zeros((50, 60, 3), np.uint8))
    assert whole.found_by == "whole"
    assert whole.landmarks is None


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_memory_of_a_twelve_megapixel_photo(photos, tmp_path):
    picture(photos[0]).resize((3024, 4032)).save(tmp_path / "large.jpg", quality=90)
    program = """
import re, sys
from pathlib import Path
from mien import Mien
mien = Mien()
results = mien.analyze_batch([sys.argv[1]] * 4)
assert [len(faces) for faces in results] == [1] * 4
status = Path("/proc/self/status").read_text()  # getrusage would count the parent's memory from before exec
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status).group(1)) / 1024)
"""
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "large.jpg"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 350
