from __future__ import annotations

import numpy as np
import pytest
from made_photos import encoded, picture, tiff
from PIL import Image

from mien.errors import ImageError
from mien.images import load_image

PHOTO, THUMBNAIL = picture(96, 64), picture(24, 16, seed=1)
REDUCED, OLD_REDUCED, FURTHER = {254: 1}, {255: 2}, {254: 1, 330: 8}


@pytest.mark.parametrize("tags", [REDUCED, OLD_REDUCED, {}])
def test_a_thumbnail_in_front_is_passed_over(tags):
    np.testing.assert_array_equal(load_image(tiff((THUMBNAIL, tags), (PHOTO, {}))), PHOTO)


def test_a_thumbnail_behind_is_passed_over_too():
    np.testing.assert_array_equal(load_image(tiff((PHOTO, {}), (THUMBNAIL, REDUCED))), PHOTO)


def test_of_several_photos_the_first_counts():
    other = picture(200, 100, seed=2)  # of other proportions
    np.testing.assert_array_equal(load_image(tiff((PHOTO, {}), (other, {}))), PHOTO)
    np.testing.assert_array_equal(load_image(tiff((THUMBNAIL, REDUCED), (PHOTO, {}), (other, {}))), PHOTO)


def test_a_reduced_page_alone_is_all_there_is():
    np.testing.assert_array_equal(load_image(tiff((THUMBNAIL, REDUCED))), THUMBNAIL)


def test_a_raw_file_whose_photo_pillow_does_not_reach():
    with pytest.raises(ImageError, match=r"holds a thumbnail, .* raw file.*; convert it to JPEG"):
        load_image(tiff((THUMBNAIL, FURTHER)))


def test_further_pages_that_are_damaged_cost_nothing():
    data = bytearray(tiff((PHOTO, {}), (THUMBNAIL, {})))
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    link = first + 2 + 12 * entries
    data[link : link + 4] = (len(data) - 3).to_bytes(4, "little")
    np.testing.assert_array_equal(load_image(bytes(data)), PHOTO)


def test_a_pillow_image_keeps_the_page_its_user_chose(tmp_path):
    (tmp_path / "two.tif").write_bytes(tiff((THUMBNAIL, REDUCED), (PHOTO, {})))
    with Image.open(tmp_path / "two.tif") as image:
        np.testing.assert_array_equal(load_image(image), THUMBNAIL)
        image.seek(1)
        np.testing.assert_array_equal(load_image(image), PHOTO)


def test_many_pages_are_not_all_looked_at():
    pages = [(picture(8, 8, seed=k), {}) for k in range(40)]
    np.testing.assert_array_equal(load_image(tiff(*pages)), pages[0][0])


def test_a_single_page_is_itself():
    np.testing.assert_array_equal(load_image(encoded(PHOTO, "TIFF")), PHOTO)
