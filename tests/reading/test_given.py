from __future__ import annotations

import base64
import io
import traceback
from urllib.parse import quote_from_bytes

import numpy as np
import pytest
from made_photos import encoded, picture

from mien import ImageFailure, Mien
from mien.errors import ImageError
from mien.images import load_image, source_name
from mien.reading import given

PIXELS = picture()
FILE = encoded(PIXELS)
TEXT = base64.b64encode(FILE).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/png;name=ada.png;BASE64,{TEXT.rstrip('=')}",
        f"data:;base64,{TEXT[:100]}\n{TEXT[100:]}\n",
        f"data:image/png;base64,{TEXT.replace('+', '%2B').replace('/', '%2F')}",
        f"data:image/png,{quote_from_bytes(FILE)}",
    ],
)
def test_data_urls(url):
    np.testing.assert_array_equal(load_image(url), PIXELS)


class Slow(io.RawIOBase):
    """A stream that gives little at a time, as a socket does."""

    def __init__(self, data):
        self._rest = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, room):
        part = self._rest.read(min(7, len(room)))
        room[: len(part)] = part
        return len(part)


def test_file_objects(tmp_path):
    path = tmp_path / "ada.png"
    path.write_bytes(FILE)
    with path.open("rb") as stream:
        np.testing.assert_array_equal(load_image(stream), PIXELS)
        assert source_name(stream) == str(path)
    for stream in (io.BytesIO(FILE), Slow(FILE), io.BufferedReader(Slow(FILE))):
        np.testing.assert_array_equal(load_image(stream), PIXELS)


def test_file_objects_that_will_not_do(tmp_path, monkeypatch):
    path = tmp_path / "ada.txt"
    path.write_text("text")
    with path.open() as text, pytest.raises(ImageError, match="opened as text; open it in binary mode"):
        load_image(text)
    with path.open("rb") as closed:
        pass
    with pytest.raises(ImageError, match=r"closed file.*; give an open binary file"):
        load_image(closed)
    with pytest.raises(ImageError, match="is empty"):
        load_image(io.BytesIO())
    monkeypatch.setattr(given, "MOST_BYTES", 2**20)
    with pytest.raises(ImageError, match="goes on after 1 MiB"):
        load_image(io.BytesIO(bytes(2**20 + 1)))


LONG = {
    "base64": "/9j/" + TEXT * 60,
    "broken data URL": "data:image/png;base64," + "!" + TEXT * 60,
    "data URL of no photo": "data:text/plain;base64," + TEXT[::-1].strip("=") * 60,
    "data URL without a comma": "data:image/png;base64" + "A" * 70000,
    "long path": "photos/" * 10000 + "ada.jpg",
    "address": "https://example.org/" + "a" * 70000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_photo_that_is_text_is_never_shown(text):
    """Neither in the message, nor in what a log prints of the error and its causes."""
    with pytest.raises(ImageError) as caught:
        load_image(text)
    assert len(str(caught.value)) < 400
    assert ";" in str(caught.value)
    printed = "".join(traceback.format_exception(caught.value))
    assert text[30:90] not in printed
    assert len(printed) < 10_000
    (failure,) = Mien().analyze_batch([text])
    assert isinstance(failure, ImageFailure)
    assert len(failure.source) < 100
    assert text[30:90] not in failure.source + failure.message


def test_base64_is_told_the_way_out():
    with pytest.raises(ImageError, match="looks like base64; decode it and give the bytes, or put data:;base64, "):
        load_image(LONG["base64"])
    assert source_name(LONG["base64"]).startswith("the text /9j/")
    assert source_name(LONG["data URL of no photo"]).startswith("the data URL of ")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("http://example.org/a.jpg", "download it"),
        ("HTTPS://example.org/a.jpg", "download it"),
        ("s3://bucket/a.jpg", "download it"),
        ("rtsp://camera.local/stream", "ffmpeg"),
        ("file:///tmp/a.jpg", "give the path itself"),
    ],
)
def test_addresses_get_a_sentence(text, advice):
    with pytest.raises(ImageError, match=advice) as caught:
        load_image(text)
    assert str(caught.value).startswith(f"{text} is an address")


def test_a_single_photo_of_any_kind_is_not_several():
    mien = Mien()
    for single in ("a.jpg", FILE, bytearray(FILE), memoryview(FILE), io.BytesIO(FILE), PIXELS):
        with pytest.raises(ImageError, match="a single image"):
            mien.analyze_batch(single)


def test_names_of_photos_in_a_batch():
    answers = Mien().analyze_batch([b"damaged", io.BytesIO(b"damaged"), "data:,damaged"])
    assert [answer.source for answer in answers] == ["image 1", "image 2", "the data URL of 13 characters"]
