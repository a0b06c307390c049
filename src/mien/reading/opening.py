"""Pillow's way to an opened image, without its warnings and within our own limit."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image

from mien.errors import ImageError

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Pillow's names of the formats that are tried. Explicit, because some others start programs (EPS) or are no photos."""

MAX_PIXELS = 150_000_000
"""Larger pictures are refused before they are decoded, as a few bytes of header can ask for gigabytes. Covers cameras
of 108 and 150 megapixels, and stays below Pillow's own limit of 179 million."""

_LOCK = threading.Lock()  # `catch_warnings` changes what all threads see


@contextmanager
def quietly() -> Iterator[None]:
    """Leave out warnings: of large pictures, on which our own limit decides, and of records that do not matter."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_quietly(stream: IO[bytes]) -> Image.Image:
    """Read the header of a picture in one of the `FORMATS`; Pillow's errors."""
    Image.init()
    with quietly():
        return Image.open(stream, formats=[name for name in FORMATS if name in Image.OPEN])  # older ones lack AVIF


def check_size(size: tuple[int, int], name: str, most: int = MAX_PIXELS) -> None:
    """Refuse a picture without pixels, or with more than ``most``.

    Raises:
        ImageError: it is one.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels ({width}x{height}); give a photo")
    if width * height > most:
        raise ImageError(f"{name} has {width}x{height} pixels, more than {most / 1e6:g} million; scale it down")
