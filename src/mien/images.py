"""Decode photos of any common kind into upright 8-bit RGB arrays; whatever is wrong ends in one `ImageError`."""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mien.errors import ImageError

Pixels: TypeAlias = NDArray[np.uint8]
"""An upright photo: ``uint8 (H, W, 3)``, RGB."""

ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]"
"""What can be given as a photo: a path, an encoded file as bytes, a Pillow image, or an RGB array."""

MAX_PIXELS = 150_000_000
"""Larger pictures are refused before they are decoded, as a few bytes of header can ask for gigabytes. Covers cameras
of 108 and 150 megapixels, and stays below Pillow's own limit of 179 million."""

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2")
) | {".avif", ".heic", ".heif"}
"""Lower-case suffixes of the files that `load_image` can read; for walking folders."""

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Pillow's names of the formats that are tried. Explicit, because some others start programs (EPS) or are no photos."""

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
PHOTO_BRANDS = _HEIF_BRANDS | {b"avif", b"avis"}
"""What stands behind ``ftyp`` in photos of the ISO family: HEIF and AVIF."""
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OPEN_LOCK = threading.Lock()


def load_image(source: ImageSource, *, name: str | None = None) -> Pixels:
    """Decode one photo to upright RGB.

    EXIF orientation is applied. Of several frames the first is taken. Transparent parts become white, as a page shows
    them: the colours stored under them are arbitrary. 16-bit grey is divided by 257, so that 65535 becomes 255.

    Args:
        source: a path; an encoded file as bytes; a Pillow image (its current frame); or an array ``(H, W)``,
            ``(H, W, 1)``, ``(H, W, 3)`` RGB or ``(H, W, 4)`` RGBA of uint8, bool, uint16 (0 to 65535), other integers
            (0 to 255) or floats (0 to 1). Arrays are taken as upright; a contiguous uint8 RGB array is returned itself.
        name: what to call the image in an error; by default `source_name`.

    Returns:
        ``uint8 (H, W, 3)``, contiguous; writable unless it is the given array.

    Raises:
        ImageError: the source cannot be read or is no picture; one sentence says which, why, and what to do.

    >>> load_image(np.array([[False, True]])).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    name = source_name(source) if name is None else name
    if isinstance(source, np.ndarray):
        return rgb_array(source, name)
    with open_image(source, name) as image:
        image.load()  # a PNG file's orientation may stand behind its pixels
        pixels = rgb_array(samples(upright(image)), name)
        return pixels if pixels.flags.writeable else pixels.copy()


@contextmanager
def open_image(source: str | os.PathLike[str] | bytes | Image.Image, name: str) -> Iterator[Image.Image]:
    """Read the header of a photo and give it as a Pillow image whose pixels are not decoded yet.

    Whatever goes wrong within the ``with`` block while they are decoded ends as an `ImageError` too. A Pillow image is
    given as it is.

    Raises:
        ImageError: the source cannot be read or is no picture of a size that is supported.
    """
    try:
        with _opened(source, name) as image:
            check_size(image.size, name)
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not an image of a known format; give a JPEG, PNG, WebP or similar file") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} claims a size that is beyond any photo; give a smaller image") from error
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ImageError(_damaged(name, error)) from error


def source_name(source: object, position: int | None = None) -> str:
    """Name an image for a message: its path, or else its position in a batch.

    >>> source_name(b"...", 3), source_name("photos/ada.jpg", 3)
    ('image 3', 'photos/ada.jpg')
    """
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source) or "the empty path"
    return "the image" if position is None else f"image {position}"


def pad_border(image: Pixels, fraction: float) -> tuple[Pixels, int]:
    """Widen a tight face crop by repeating its border, so that a detector finds the face in it.

    Args:
        image: ``uint8 (H, W, 3)``.
        fraction: width of the new border, as a fraction of the longer side. On 500 crops of Labeled Faces in the
            Wild `mien.detection` missed 28 faces without a border, 6 with 0.05, 1 with 0.1, 5 with 0.15 and with 0.2.

    Returns:
        The wider image, and the width of the border in pixels: subtract it from coordinates found there.

    >>> padded, margin = pad_border(np.zeros((10, 8, 3), np.uint8), 0.5)
    >>> padded.shape, margin
    ((20, 18, 3), 5)
    """
    margin = round(fraction * max(image.shape[:2]))
    return np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge"), margin


@contextmanager
def _opened(source: str | os.PathLike[str] | bytes | Image.Image, name: str) -> Iterator[Image.Image]:
    if isinstance(source, Image.Image):
        yield source  # its user's: it stays open
    elif isinstance(source, (bytes, bytearray, memoryview)):
        with _open_stream(io.BytesIO(source), name) as image:
            yield image
    elif isinstance(source, (str, os.PathLike)):
        with _open_file(Path(source), name) as stream, _open_stream(stream, name) as image:
            yield image
    else:
        raise ImageError(
            f"{name} is given as {type(source).__name__}; give a path, bytes, a Pillow image or a uint8 RGB array"
        )


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder; give the path of one photo")
        if not path.exists():
            raise ImageError(f"{name} does not exist; check the path")
        if not path.is_file():
            raise ImageError(f"{name} is not a regular file; give the path of a photo")
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name} cannot be opened ({reason}); check the path and its permissions") from error


def _open_stream(stream: IO[bytes], name: str) -> Image.Image:
    head = stream.read(12)
    stream.seek(0)
    if not head:
        raise ImageError(f"{name} is empty; give a complete image file")
    is_heif = head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS
    return _open_heif(stream, name) if is_heif else _open(stream)


def _open(stream: IO[bytes]) -> Image.Image:
    """Read the header. Pillow's warning about large pictures is silenced: MAX_PIXELS decides here."""
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]  # AVIF is missing before Pillow 11.3
    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(stream, formats=formats)


def _open_heif(stream: IO[bytes], name: str) -> Image.Image:
    """Open HEIC without registering a plugin, which would change Pillow for the whole process."""
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageError(
            f'{name} is a HEIC photo, which needs an extra; run: pip install "mien[heic]", or convert it to JPEG'
        ) from error
    heif = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True)
    check_size(heif.size, name)
    image: Image.Image = heif.to_pillow()
    return image


def _damaged(name: str, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"{name} is damaged or incomplete ({reason}); give an intact file"


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


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded image as its EXIF orientation says; the image itself when there is nothing to do."""
    turn = orientation(image)
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> Image.Transpose | None:
    """How an image must be turned to be upright, by its EXIF record; None: it is upright, or nothing is known."""
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001  broken EXIF must not cost the photo, whose pixels are fine
        return None


def samples(image: Image.Image) -> NDArray[Any]:
    """The pixels of a Pillow image of any mode in one of the array forms that `load_image` takes."""
    if image.mode.startswith("I"):
        values = np.asarray(image)
        # Pillow before 11.3 opens 16-bit PNG with 32-bit samples.
        return values.astype(np.uint16) if values.min() >= 0 and values.max() <= 65535 else values
    if image.mode == "F" or (image.mode in ("RGB", "L") and "transparency" not in image.info):
        return np.asarray(image)
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def rgb_array(values: NDArray[Any], name: str) -> Pixels:
    """Bring an array of any form that `load_image` takes to ``uint8 (H, W, 3)``; errors as there."""
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise ImageError(
            f"{name} is an array of shape {values.shape}; give (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey"
        )
    if values.size == 0:
        raise ImageError(f"{name} is an array without pixels, of shape {values.shape}; give a photo")
    pixels = _eight_bits(values, name)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    elif pixels.shape[2] == 4:
        pixels = _on_white(pixels)
    return np.ascontiguousarray(pixels)


def _eight_bits(values: NDArray[Any], name: str) -> Pixels:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:  # either byte order
        # Division by 257 rounded to the nearest: exact for all 16-bit values.
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    limit = 255 if np.issubdtype(values.dtype, np.integer) else 1
    if not np.issubdtype(values.dtype, np.integer) and not np.issubdtype(values.dtype, np.floating):
        raise ImageError(f"{name} is an array of {values.dtype}; give uint8 from 0 to 255")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= limit):  # false for NaN too
        raise ImageError(
            f"{name} has {values.dtype} values from {low:g} to {high:g}, where 0 to {limit} is expected; "
            "convert it to uint8 from 0 to 255"
        )
    return values.astype(np.uint8) if limit == 255 else np.rint(values * 255).astype(np.uint8)


def _on_white(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    page = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(page, image).convert("RGB"))
