from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from made_photos import encoded, picture
from PIL import Image

from mien import Mien
from mien.errors import ImageError
from mien.images import load_image


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 65535)))
def test_the_range_that_is_used_decides_and_not_the_type(values):
    expected = oracle(values)
    for kind in (np.uint16, np.int32, np.uint32, np.int64, ">u2", np.float64):
        if kind == np.float64 and values.max() < 128:
            continue  # floats of so small a range are refused, or are from 0 to 1
        np.testing.assert_array_equal(load_image(values.astype(kind))[..., 0], expected)


def oracle(values):
    """As fractions: white is the least 2^k - 1 from 255 on that holds all values."""
    white = next(2**bits - 1 for bits in range(8, 17) if values.max() < 2**bits)
    return np.floor(values.astype(object) * 255 / white + 0.5).astype(np.uint8)


@given(arrays(np.uint8, (3, 5, 3)))
def test_8_bit_values_in_a_wider_type_are_themselves(values):
    for kind in (np.uint16, np.int16, np.int32, np.uint64):
        np.testing.assert_array_equal(load_image(values.astype(kind)), values)


def test_floats_of_0_to_1_and_of_0_to_255():
    values = picture(8, 8)
    for kind in (np.float16, np.float32, np.float64):
        np.testing.assert_array_equal(load_image((values / 255).astype(kind)), values)
        np.testing.assert_array_equal(load_image(values.astype(kind)), values)


@pytest.mark.parametrize("high", [1.001, 2, 8, 100, 127.9, 70000, np.inf, np.nan])
def test_floats_of_any_other_range_are_refused(high):
    with pytest.raises(ImageError, match="convert it to uint8"):
        load_image(np.array([[0.0, high]]))


def test_large_pictures_are_scaled_in_parts_alike():
    values = np.random.default_rng(0).integers(0, 4096, (1500, 1000), dtype=np.uint16)
    np.testing.assert_array_equal(load_image(values)[::300, ::200, 0], oracle(values[::300, ::200] | 2048 & 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_of_fewer_bits_in_16(kind, bits):
    grey = picture(32, 32)[..., 0]
    white = 2**bits - 1
    values = np.round(grey.astype(float) * white / 255).astype(np.uint16)
    values[0, 0] = white
    loaded = load_image(encoded(values, kind))[..., 0]
    assert np.abs(loaded.astype(int) - grey).reshape(-1)[1:].max() <= 0


def test_pillows_32_bit_integers():
    grey = picture(32, 32)[..., 0].astype(np.int32)
    image = Image.fromarray(grey)
    assert image.mode == "I"
    np.testing.assert_array_equal(load_image(image)[..., 0], grey)
    np.testing.assert_array_equal(load_image(encoded(image, "TIFF"))[..., 0], grey)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_12_bit_color_in_16_which_pillow_cannot_read(kind):
    wide = picture(16, 16).astype(np.uint16)
    with pytest.raises(ImageError, match="16 bits a color and uses the lower ones alone"):
        load_image(color_of_16_bits(wide * 16, kind))
    np.testing.assert_array_equal(load_image(color_of_16_bits(wide * 257, kind)), picture(16, 16))


def color_of_16_bits(values, kind):
    """A file that Pillow cannot write."""
    height, width = values.shape[:2]
    if kind == "PNG":
        import zlib

        def chunk(name, data):
            return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            chunk(*part) for part in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
        )
    pixels = values.astype("<u2").tobytes()
    depth = 8 + len(pixels)
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, depth),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (277, 3, 1, 3),
        (278, 3, 1, height),
        (279, 4, 1, len(pixels)),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", depth + 6) + pixels + struct.pack("<HHH", 16, 16, 16) + directory


class TestAlpha:
    def test_that_is_0_everywhere_says_nothing(self):
        pixels = picture(16, 16)
        clear = np.dstack([pixels, np.zeros((16, 16), np.uint8)])
        for source in (clear, Image.fromarray(clear), encoded(clear), encoded(clear, "TIFF"), clear.astype(np.uint16)):
            np.testing.assert_array_equal(load_image(source), pixels)

    def test_of_a_32_bit_bmp(self):
        """With masks that name an alpha channel, as some programs write; all zero, as they leave it."""
        pixels = picture(16, 16)
        rows = np.dstack([pixels[::-1, :, ::-1], np.zeros((16, 16), np.uint8)]).tobytes()
        masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        info = struct.pack("<IiiHHIIiiII", 108, 16, 16, 1, 32, 3, len(rows), 0, 0, 0, 0) + masks + bytes(52)
        header = b"BM" + struct.pack("<IHHI", 14 + len(info) + len(rows), 0, 0, 14 + len(info))
        with Image.open(io.BytesIO(header + info + rows)) as image:
            assert image.mode == "RGBA"
        np.testing.assert_array_equal(load_image(header + info + rows), pixels)

    def test_of_a_palette_or_of_grey(self):
        grey = picture(16, 16)[..., 0]
        clear = Image.merge("LA", [Image.fromarray(grey), Image.new("L", (16, 16))])
        np.testing.assert_array_equal(load_image(clear)[..., 0], grey)

    def test_has_a_range_of_its_own(self):
        wide = np.dstack([picture(16, 16).astype(np.uint16) * 16, np.full((16, 16), 65535, np.uint16)])
        wide[0, 0, :3] = 4095
        expected = np.floor(wide[..., :3] * (255 / 4095) + 0.5).astype(np.uint8)
        np.testing.assert_array_equal(load_image(wide), expected)


def test_a_face_in_12_bit_grey_as_infrared_cameras_write_it(examples, tmp_path):
    with Image.open(examples / "obama.jpg") as photo:
        grey = np.asarray(photo.convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 16).save(tmp_path / "infrared.png")
    mien = Mien()
    (expected,), (face,) = mien.analyze(grey), mien.analyze(tmp_path / "infrared.png")
    assert face.box.overlap(expected.box) > 0.98
