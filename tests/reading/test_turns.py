from __future__ import annotations

import io

import numpy as np
import pytest
from made_photos import encoded, picture
from PIL import Image, ImageOps

from mien import Mien
from mien.images import load_image

UPRIGHT = picture(64, 48)
STORED = np.ascontiguousarray(np.rot90(UPRIGHT, 1))  # what orientation 6 turns clockwise


def file_of(stored=STORED, orientation=6, size=None, kind="PNG"):
    """A file with an EXIF record; ``size`` is the width and height that the record tells."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    if size:
        exif.get_ifd(0x8769).update({0xA002: size[0], 0xA003: size[1]})
    return encoded(stored, kind, exif=exif)


def opened(**options):
    return Image.open(io.BytesIO(file_of(**options)))


def test_an_image_as_it_was_opened_is_turned():
    np.testing.assert_array_equal(load_image(opened()), UPRIGHT)
    image = opened()
    image.load()
    np.testing.assert_array_equal(load_image(image), UPRIGHT)


@pytest.mark.parametrize("size", [None, (64, 48)])
@pytest.mark.parametrize(
    "turn",
    [
        lambda image: image.rotate(-90, expand=True),
        lambda image: image.transpose(Image.Transpose.ROTATE_270),
        ImageOps.exif_transpose,
    ],
)
def test_an_image_that_was_turned_by_hand_is_not_turned_again(turn, size):
    np.testing.assert_array_equal(load_image(turn(opened(size=size))), UPRIGHT)


def test_an_image_that_still_lies_as_stored_is_turned_where_its_record_shows_it():
    for made in (opened(size=(64, 48)).convert("RGB"), opened(size=(64, 48)).copy()):
        np.testing.assert_array_equal(load_image(made), UPRIGHT)
    half = opened(size=(64, 48)).resize((32, 24), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(load_image(half), np.rot90(np.asarray(half), -1))


def test_where_nothing_shows_it_an_image_is_taken_as_it_stands():
    np.testing.assert_array_equal(load_image(opened().convert("RGB")), STORED)
    square = picture(40, 40)
    np.testing.assert_array_equal(load_image(opened(stored=square, size=(40, 40)).copy()), square)
    cut = opened(size=(64, 48)).crop((0, 0, 48, 48))
    np.testing.assert_array_equal(load_image(cut), np.asarray(cut))
    half_turn = opened(stored=UPRIGHT, orientation=3, size=(48, 64)).rotate(180)
    np.testing.assert_array_equal(load_image(half_turn), np.asarray(half_turn))


def test_a_face_is_found_however_a_lying_photo_is_given(examples, tmp_path):
    with Image.open(examples / "obama.jpg") as photo:
        pixels = np.asarray(photo)
    path = tmp_path / "lying.png"
    path.write_bytes(file_of(stored=np.ascontiguousarray(np.rot90(pixels, 1))))
    mien = Mien()
    (expected,) = mien.analyze(pixels)
    with Image.open(path) as image:
        for source in (path, image, image.rotate(-90, expand=True), ImageOps.exif_transpose(image)):
            (face,) = mien.analyze(source)
            assert face.box.overlap(expected.box) > 0.99
