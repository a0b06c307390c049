"""Decoding: every colour mode against its known colours, every kind of damage against one sentence."""

from __future__ import annotations

import builtins
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.errors import ImageError
from mien.images import IMAGE_SUFFIXES, MAX_PIXELS, load_image, pad_border, source_name

RED, WHITE = [255, 0, 0], [255, 255, 255]


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def picture(height: int = 20, width: int = 30) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def the_error(source: object) -> str:
    with pytest.raises(ImageError) as caught:
        load_image(source)
    message = str(caught.value)
    assert "\n" not in message
    assert ";" in message  # what is wrong; what to do
    return message


class TestSources:
    def test_path_string_bytes_pillow_and_array_agree(self, tmp_path: Path) -> None:
        pixels = picture()
        path = tmp_path / "é photo.png"
        path.write_bytes(encode(Image.fromarray(pixels)))
        for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), Image.open(path), pixels):
            loaded = load_image(source)
            np.testing.assert_array_equal(loaded, pixels)
            assert loaded.dtype == np.uint8
            assert loaded.flags.c_contiguous
            assert loaded.flags.writeable

    def test_a_contiguous_rgb_array_is_not_copied(self) -> None:
        pixels = picture()
        assert load_image(pixels) is pixels

    def test_a_strided_view_becomes_contiguous(self) -> None:
        pixels = picture()[:, ::-1]
        loaded = load_image(pixels)
        assert loaded.flags.c_contiguous
        np.testing.assert_array_equal(loaded, pixels)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"])
    def test_one_pixel_of_every_format(self, kind: str) -> None:
        loaded = load_image(encode(Image.new("RGB", (1, 1), (250, 0, 0)), kind))
        assert loaded.shape == (1, 1, 3)
        assert np.abs(loaded[0, 0].astype(int) - [250, 0, 0]).max() <= 5

    def test_suffixes_are_lower_case_with_a_dot(self) -> None:
        assert {".jpg", ".jpeg", ".png", ".heic"} <= IMAGE_SUFFIXES
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)

    def test_source_name(self, tmp_path: Path) -> None:
        assert source_name(tmp_path / "a.jpg", 4) == str(tmp_path / "a.jpg")
        assert source_name(picture(), 4) == "image 4"
        assert source_name(b"") == "the image"


class TestColourModes:
    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV", "RGBa", "RGBX"])
    def test_red_stays_red(self, mode: str) -> None:
        loaded = load_image(Image.new("RGB", (3, 2), "red").convert("RGBA").convert(mode) if mode == "RGBa"
                            else Image.new("RGB", (3, 2), "red").convert(mode))  # fmt: skip
        assert loaded.shape == (2, 3, 3)
        assert np.abs(loaded.astype(int) - RED).max() <= 1

    @pytest.mark.parametrize("mode", ["L", "LA", "1", "PA"])
    def test_grey_and_bilevel(self, mode: str) -> None:
        stripes = Image.fromarray(np.array([[0, 255]], np.uint8)).convert(mode)
        assert load_image(stripes)[0].tolist() == [[0, 0, 0], WHITE]

    def test_cmyk_jpeg(self) -> None:
        loaded = load_image(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
        assert np.abs(loaded.astype(int) - RED).max() <= 6

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bit_grey_is_scaled_not_clipped(self, kind: str) -> None:
        values = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
        loaded = load_image(encode(Image.fromarray(values), kind))
        assert loaded[0, :, 0].tolist() == [0, 1, 128, 255]

    def test_16_bit_big_endian(self) -> None:
        raw = np.array([[0, 128 * 257, 65535]], ">u2")
        image = Image.frombytes("I;16B", (3, 1), raw.tobytes())
        assert load_image(image)[0, :, 0].tolist() == [0, 128, 255]

    def test_transparency_is_composited_on_white(self) -> None:
        clear, half = (0, 0, 0, 0), (255, 0, 0, 128)
        image = Image.new("RGBA", (2, 1), clear)
        image.putpixel((1, 0), half)
        loaded = load_image(encode(image))[0].tolist()
        assert loaded[0] == WHITE
        assert loaded[1] == pytest.approx([255, 127, 127], abs=1)

    def test_palette_with_transparency(self) -> None:
        image = Image.new("P", (2, 1))
        image.putpalette([0, 0, 0, 255, 0, 0])
        image.putpixel((1, 0), 1)
        assert load_image(encode(image, transparency=0))[0].tolist() == [WHITE, RED]
        assert load_image(encode(image, "GIF", transparency=0))[0].tolist() == [WHITE, RED]

    def test_rgb_with_a_transparent_colour(self) -> None:
        image = Image.new("RGB", (2, 1), "red")
        image.putpixel((0, 0), (0, 255, 0))
        assert load_image(encode(image, transparency=(0, 255, 0)))[0].tolist() == [WHITE, RED]

    @pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP"])
    def test_the_first_frame_counts(self, kind: str) -> None:
        first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
        data = encode(first, kind, save_all=True, append_images=[second])
        assert np.abs(load_image(data)[4, 4].astype(int) - RED).max() <= 5


class TestArrays:
    def test_forms(self) -> None:
        grey = np.array([[0, 200]], np.uint8)
        expected = [[[0] * 3, [200] * 3]]
        assert load_image(grey).tolist() == expected
        assert load_image(grey[:, :, None]).tolist() == expected
        assert load_image(np.dstack([grey] * 3 + [np.full_like(grey, 255)])).tolist() == expected
        assert load_image(grey / 255).tolist() == expected
        assert load_image(grey.astype(np.int64)).tolist() == expected
        assert load_image(grey.astype(np.uint16) * 257).tolist() == expected
        assert load_image(grey > 0).tolist() == [[[0] * 3, WHITE]]

    @settings(deadline=None)
    @given(st.integers(0, 65535))
    def test_16_bits_round_to_the_nearest(self, value: int) -> None:
        assert load_image(np.array([[value, 65535]], np.uint16))[0, 0, 0] == round(value / 257)

    @pytest.mark.parametrize(
        ("array", "says"),
        [
            (np.zeros((3, 8, 9), np.uint8), "(3, 8, 9)"),
            (np.zeros((8,), np.uint8), "(8,)"),
            (np.zeros((0, 5, 3), np.uint8), "without pixels"),
            (np.full((2, 2, 3), 1.5), "0 to 1, 0 to 255 or 16 bits are expected"),
            (np.full((2, 2, 3), np.nan), "nan"),
            (np.full((2, 2, 3), -1), "0 to 255 or 16 bits are expected"),
            (np.full((2, 2), "x"), "uint8"),
            (np.full((2, 2), 1j), "uint8"),
        ],
    )
    def test_unusable_arrays(self, array: np.ndarray, says: str) -> None:
        assert says in the_error(array)


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif(self, orientation: int) -> None:
        """The stored picture is the upright one under the inverse turn; loading must give the upright one back."""
        upright = np.kron(picture(4, 6), np.ones((16, 16, 1), np.uint8))
        stored = {
            1: lambda a: a,
            2: lambda a: a[:, ::-1],
            3: lambda a: a[::-1, ::-1],
            4: lambda a: a[::-1],
            5: lambda a: a.transpose(1, 0, 2),
            6: lambda a: np.rot90(a, 1),
            7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
            8: lambda a: np.rot90(a, -1),
        }[orientation](upright)
        exif = Image.Exif()
        exif[0x0112] = orientation
        loaded = load_image(encode(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif))
        np.testing.assert_array_equal(loaded, upright)

    def test_broken_exif_does_not_cost_the_photo(self) -> None:
        data = encode(Image.fromarray(picture()), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
        assert load_image(data).shape == (20, 30, 3)

    def test_unknown_orientation_is_ignored(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 99
        assert load_image(encode(Image.fromarray(picture()), exif=exif)).shape == (20, 30, 3)


class TestDamage:
    def test_missing_folder_empty(self, tmp_path: Path) -> None:
        assert "does not exist" in the_error(tmp_path / "none.jpg")
        assert "is a folder" in the_error(tmp_path)
        empty = tmp_path / "empty.jpg"
        empty.touch()
        assert "is empty" in the_error(empty)
        assert "is empty" in the_error(b"")
        assert "nowhere\0.jpg" in the_error("nowhere\0.jpg")

    def test_the_error_names_the_file_or_the_given_name(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("This is a text of some length, and no picture.")
        message = the_error(path)
        assert str(path) in message
        assert "not an image" in message
        with pytest.raises(ImageError, match="image 7 "):
            load_image(path.read_bytes(), name="image 7")

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
    @pytest.mark.parametrize("part", [0.15, 0.6, 0.9])
    def test_truncated(self, kind: str, part: float) -> None:
        data = encode(Image.fromarray(picture(100, 100)), kind)
        the_error(data[: int(len(data) * part)])

    @settings(deadline=None)
    @given(st.binary(min_size=1, max_size=200))
    def test_any_bytes_give_one_sentence(self, data: bytes) -> None:
        try:
            load_image(data)
        except ImageError as error:
            assert "\n" not in str(error)

    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "WEBP"]), st.data())
    def test_flipped_bytes_give_an_image_or_one_sentence(self, kind: str, data: st.DataObject) -> None:
        encoded = bytearray(encode(Image.fromarray(picture()), kind))
        for _ in range(4):
            encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
        try:
            assert load_image(bytes(encoded)).ndim == 3
        except ImageError as error:
            assert "\n" not in str(error)

    @pytest.mark.parametrize("side", [10_000, 100_000])
    def test_a_header_that_claims_too_much_is_refused_before_decoding(self, side: int) -> None:
        claimed = png_claiming(side, MAX_PIXELS // side + 1)
        assert "million" in the_error(claimed)

    def test_a_header_beyond_pillows_limit(self) -> None:
        assert "smaller" in the_error(png_claiming(2_000_000, 2_000_000))

    def test_a_large_size_below_the_limit_passes_the_guard(self) -> None:
        assert "damaged" in the_error(png_claiming(12_000, 12_000))  # no warning of Pillow either: warnings are errors

    def test_postscript_is_not_run(self) -> None:
        assert "not an image" in the_error(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")

    def test_a_closed_pillow_image(self) -> None:
        image = Image.open(io.BytesIO(encode(Image.fromarray(picture()))))
        image.close()
        the_error(image)

    def test_other_types(self) -> None:
        assert "NoneType" in the_error(None)


class TestHeic:
    def test_reads_and_turns(self) -> None:
        pillow_heif = pytest.importorskip("pillow_heif")
        upright = np.kron(picture(4, 6), np.ones((16, 16, 1), np.uint8))
        stream = io.BytesIO()
        heif = pillow_heif.from_pillow(Image.fromarray(upright))
        heif.save(stream, quality=-1, chroma=444)
        loaded = load_image(stream.getvalue())
        assert loaded.shape == upright.shape
        assert np.abs(loaded.astype(int) - upright).mean() < 3

    def test_does_not_register_a_plugin(self) -> None:
        pytest.importorskip("pillow_heif")
        Image.init()
        assert "HEIF" not in Image.OPEN

    def test_without_the_extra_the_error_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = builtins.__import__

        def without(name: str, *rest: object) -> object:
            if name == "pillow_heif":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        assert "mien[heic]" in the_error(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(40))

    def test_damaged(self) -> None:
        pytest.importorskip("pillow_heif")
        the_error(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(40))


def test_pad_border_repeats_the_edge() -> None:
    image = picture(4, 10)
    padded, margin = pad_border(image, 0.3)
    assert margin == 3
    np.testing.assert_array_equal(padded[3:-3, 3:-3], image)
    np.testing.assert_array_equal(padded[:, 0], padded[:, 3])
    assert (padded[:4, :4] == image[0, 0]).all()
