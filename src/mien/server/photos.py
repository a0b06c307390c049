"""Open photos of strangers: the header tells the size before anything is unpacked."""

from __future__ import annotations

import io
import warnings
from threading import Lock

from PIL import Image, UnidentifiedImageError

from mien.errors import ImageError
from mien.images import FORMATS
from mien.photo import Photo

_OPEN_LOCK = Lock()  # catch_warnings is not safe among threads
_NO_PHOTO = "is not an image of a known format; give a JPEG, PNG or WebP photo"


def open_photo(data: bytes, max_pixels: int, name: str = "the photo") -> Photo:
    """Open a photo that is small enough.

    HEIC is not taken: browsers convert it, and its decoder tells no size beforehand.

    Args:
        data: the encoded file.
        max_pixels: largest number of pixels.
        name: what to call the photo in an error.

    Raises:
        ImageError: it is too large, or no photo.
    """
    try:
        image = _opened(data)
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} {_NO_PHOTO}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name, max_pixels)) from error
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ImageError(f"{name} {_NO_PHOTO}") from error
    with image:
        if image.width * image.height > max_pixels:
            raise ImageError(_too_large(name, max_pixels))
    return Photo(data, name=name)


def _opened(data: bytes) -> Image.Image:
    """Read the header. Pillow's warning about large pictures is silenced: the limit decides here."""
    Image.init()
    formats = [known for known in FORMATS if known in Image.OPEN]  # AVIF is missing before Pillow 11.3
    with _OPEN_LOCK, warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        return Image.open(io.BytesIO(data), formats=formats)


def _too_large(name: str, max_pixels: int) -> str:
    return f"{name} has more than {max_pixels / 1e6:g} million pixels; scale it down"
