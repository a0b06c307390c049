"""What may be given as a photo, what to call it in messages, and how it becomes something that can be read twice."""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ImageError

LONGEST_NAME = 512
"""Longer texts are cut in messages: they are rather a photo as text than a path, and would fill a log with it."""

MOST_BYTES = 2**30
"""So much is read of a stream at most: a 16-bit color picture of 150 million pixels without compression has 0.9 GB."""

_SHOWN = 24
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s_-]+")


@runtime_checkable
class Readable(Protocol):
    """A file object, opened in binary mode."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes at most; none at the end."""
        ...


Encoded: TypeAlias = bytes | bytearray | memoryview

ImageSource: TypeAlias = "str | os.PathLike[str] | Encoded | Readable | Image.Image | NDArray[Any]"
"""What can be given as a photo: a path or a ``data:`` URL, an encoded file as bytes or as a binary file object, a
Pillow image, or an RGB array."""

Openable: TypeAlias = Path | Encoded | Image.Image
"""A picture that can be opened as often as wanted."""

Settled: TypeAlias = Openable | NDArray[Any]
"""What `settle` makes of a source."""


def is_single(source: object) -> bool:
    """Whether this is one photo, where several are expected; text, bytes and file objects can be iterated over too."""
    single = isinstance(source, (str, bytes, bytearray, memoryview, os.PathLike, Image.Image, Readable))
    return single or (isinstance(source, np.ndarray) and source.ndim < 4)


def source_name(source: object, position: int | None = None) -> str:
    """Name a photo for a message: its path, or else its position in a batch. A photo that is text is never shown whole.

    >>> source_name(b"...", 3), source_name("photos/ada.jpg", 3)
    ('image 3', 'photos/ada.jpg')
    >>> source_name("data:image/png;base64," + "A" * 1000)
    'the data URL of 1,022 characters'
    """
    if not isinstance(source, (str, os.PathLike)):
        source = getattr(source, "name", None)  # of a file object
        if not isinstance(source, str):
            return "the image" if position is None else f"image {position}"
    text = os.fsdecode(source)
    if _is_data_url(text):
        return f"the data URL of {len(text):,} characters"
    if len(text) > LONGEST_NAME:
        start = " ".join(text[:_SHOWN].split())
        return f"the text {start}... of {len(text):,} characters"
    return text or "the empty path"


def settle(source: ImageSource, name: str) -> Settled:
    """Read file objects and ``data:`` URLs to bytes, and refuse texts that are no path.

    Raises:
        ImageError: it is none of the things that can be given, or cannot be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview, np.ndarray, Image.Image)):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _settle_text(os.fsdecode(source), name)
    if isinstance(source, Readable):
        return _read_all(source, name)
    raise ImageError(
        f"{name} is given as {type(source).__name__}; give a path, bytes, a Pillow image or a uint8 RGB array"
    )


def refuse_address(text: str) -> str:
    """What to say of a text that is an address on a network; empty when it is none.

    >>> refuse_address("photos/ada.jpg"), refuse_address("https://example.org/ada.jpg").partition(";")[0]
    ('', 'https://example.org/ada.jpg is an address, and mien opens no connections')
    """
    match = _ADDRESS.match(text)
    if match is None:
        return ""
    shown = text if len(text) <= LONGEST_NAME else f"{text[:_SHOWN]}..."
    match match[1].lower():
        case "file":
            return f"{shown} is an address; give the path itself, without file://"
        case "http" | "https" | "ftp" | "s3" | "gs":
            return f"{shown} is an address, and mien opens no connections; download it and give the file or its bytes"
        case _:
            return (
                f"{shown} is an address, and mien opens no connections; record a part of the stream, with ffmpeg say, "
                "and give the file"
            )


def _settle_text(text: str, name: str) -> Path | bytes:
    if _is_data_url(text):
        return _decoded(text, name)
    if refusal := refuse_address(text):
        raise ImageError(refusal)
    if len(text) > LONGEST_NAME and not os.path.exists(text):  # noqa: PTH110  which takes any text
        # Without a cause, which would hold the whole text.
        if _BASE64.fullmatch(text):
            raise ImageError(
                f"{name} is no path, and looks like base64; decode it and give the bytes, or put data:;base64, before"
            )
        raise ImageError(f"{name} is no path of a file; check it, or give the photo as bytes")
    return Path(text)


def _is_data_url(text: str) -> bool:
    return text[:5].lower() == "data:"


def _decoded(url: str, name: str) -> bytes:
    """The bytes of a ``data:`` URL (RFC 2397). As in browsers, white space and missing padding do no harm."""
    header, comma, body = url.partition(",")
    if not comma:
        raise ImageError(f"{name} has no comma before its data; give data:image/jpeg;base64,...")
    data = unquote_to_bytes(body)
    if not header.rstrip().lower().endswith(";base64"):
        return data
    packed = b"".join(data.split()).rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error as error:
        raise ImageError(f"{name} is no base64 ({error}); encode the photo again") from None


def _read_all(stream: Readable, name: str) -> bytes:
    parts: list[bytes] = []
    left = MOST_BYTES
    try:
        while part := stream.read(left):
            if not isinstance(part, bytes):
                raise ImageError(f"{name} was opened as text; open it in binary mode, as in open(path, 'rb')")
            parts.append(part)
            left -= len(part)
            if left <= 0:
                raise ImageError(f"{name} goes on after {MOST_BYTES // 2**20} MiB; give a single photo")
    except (OSError, ValueError, TypeError) as error:  # ValueError: it is closed
        raise ImageError(f"{name} cannot be read ({error}); give an open binary file") from error
    return b"".join(parts)
