"""A file that is cut off gives its pixels, all of them, or a sentence; whatever the format, wherever the cut."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_photos import encoded, picture
from PIL import Image

from mien.errors import ImageError
from mien.images import load_image

FORMS = {
    "PNG": {},
    "JPEG": {},
    "JPEG progressive": {"progressive": True},
    "JPEG restarts": {"restart_marker_blocks": 2},
    "JPEG grey": {},
    "GIF": {},
    "GIF interlaced": {"interlace": 1},
    "WEBP": {},
    "WEBP lossless": {"lossless": True},
    "TIFF": {},
    "TIFF lzw": {"compression": "tiff_lzw"},
    "BMP": {},
    "PPM": {},
    "JPEG2000": {},
    "JPEG2000 tiled": {"tile_size": (16, 16)},
    "AVIF": {},
}


def file_of(form):
    pixels = picture()
    if "grey" in form:
        pixels = pixels[..., 0]
    return encoded(pixels, form.partition(" ")[0], **FORMS[form])


FILES = {form: file_of(form) for form in FORMS}
"""By form, a whole file."""

WHOLE = {form: load_image(data) for form, data in FILES.items()}


def check(form, length):
    """Whether a file of which only the first bytes are there was taken; its pixels must then be the whole file's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libtiff's and Pillow's readers
        try:
            pixels = load_image(FILES[form][:length])
        except ImageError as error:
            assert "\n" not in str(error)
            return False
    np.testing.assert_array_equal(pixels, WHOLE[form])
    return True


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_whatever_is_cut_off(form, data):
    check(form, data.draw(st.integers(1, len(FILES[form]))))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_cut(form):
    for length in range(1, len(FILES[form])):
        check(form, length)


@pytest.mark.parametrize("form", ["JPEG", "JPEG progressive", "JPEG restarts", "JPEG grey"])
def test_a_jpeg_without_its_end_marker_is_taken_and_one_that_lacks_pixels_is_not(form):
    size = len(FILES[form])
    assert check(form, size - 2)
    assert check(form, size - 1)  # half a marker
    assert not check(form, size - 40)


@pytest.mark.parametrize("form", ["PNG", "GIF", "GIF interlaced"])
def test_png_and_gif_without_their_ends(form):
    end = 12 if form == "PNG" else 1
    assert check(form, len(FILES[form]) - end)
    assert not check(form, len(FILES[form]) - end - 30)


def test_a_progressive_jpeg_without_its_last_scans_lacks_something():
    data = FILES["JPEG progressive"]
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 3
    for at in scans[1:]:
        with pytest.raises(ImageError, match="is cut off"):
            load_image(data[:at])


def test_a_jpeg_with_a_scan_for_each_component():
    """Assembled from three grey files with the same tables, as Pillow writes no such file."""
    planes = [np.asarray(plane) for plane in Image.fromarray(picture()).convert("YCbCr").split()]
    files = [encoded(plane, "JPEG") for plane in planes]
    frame, scans = files[0].find(b"\xff\xc0"), [data.find(b"\xff\xda") for data in files]
    table = files[0].find(b"\xff\xc4")
    header = files[0][frame : frame + 9] + bytes((3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    header = header[:2] + struct.pack(">H", len(header) - 2) + header[4:]
    head = files[0][:frame] + header + files[0][table : scans[0]]
    bodies = [
        data[scan : scan + 5] + bytes([k]) + data[scan + 6 : -2]
        for k, (data, scan) in enumerate(zip(files, scans, strict=True), start=1)
    ]
    whole = head + b"".join(bodies) + b"\xff\xd9"
    pixels = load_image(whole)
    assert np.abs(pixels.astype(int) - picture()).mean() < 20
    np.testing.assert_array_equal(load_image(whole[:-2]), pixels)
    for scans in (1, 2):
        with pytest.raises(ImageError, match="is cut off"):
            load_image(head + b"".join(bodies[:scans]))


def test_what_cameras_write_behind_the_end_does_no_harm():
    np.testing.assert_array_equal(load_image(FILES["JPEG"] + b"trailer" * 10), WHOLE["JPEG"])
    np.testing.assert_array_equal(load_image(FILES["JPEG"] + bytes(100)), WHOLE["JPEG"])


def test_a_thumbnail_that_has_an_end_is_not_the_photos_end():
    """The thumbnail of a camera's EXIF record lies in front, complete with its own end marker."""
    exif = Image.Exif()
    exif[0x010E] = "x"
    thumbnail = encoded(picture(16, 16), "JPEG")
    whole = encoded(picture(), "JPEG", exif=exif)
    segment = b"\xff\xed" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = whole[:2] + segment + whole[2:]
    np.testing.assert_array_equal(load_image(data[:-2]), WHOLE["JPEG"])
    with pytest.raises(ImageError, match="is cut off"):
        load_image(data[:-60])


def test_an_example_photo_without_its_end_marker(examples, tmp_path):
    whole = (examples / "obama.jpg").read_bytes()
    assert whole[-2:] == b"\xff\xd9"
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[:-2])
    np.testing.assert_array_equal(load_image(path), load_image(whole))
    path.write_bytes(whole[:-2000])
    with pytest.raises(ImageError, match=r"cut\.jpg is cut off: .*; give the whole file"):
        load_image(path)


def test_the_size_is_looked_at_before_a_cut_file_is_decoded():
    data = bytearray(FILES["JPEG"][:-2])
    frame = data.find(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    with pytest.raises(ImageError, match=r"million|beyond any photo"):
        load_image(io.BytesIO(data))
