"""From a path or bytes to an opened image, by the kind of file."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from mien.errors import ImageError
from mien.reading.brands import HEAD, iso_kind
from mien.reading.endings import check_jpeg2000, lacks_end, whole_jpeg
from mien.reading.given import Openable
from mien.reading.opening import check_size, open_quietly
from mien.reading.pages import photo_page


def open_source(source: Openable, name: str, stack: ExitStack) -> Image.Image:
    """Read the header of a photo; what is opened for it is closed with the stack, but not an image that is given.

    Raises:
        ImageError: the source cannot be read, or is known to lack pixels.
        Exception: whatever Pillow raises of files that are damaged or no picture.
    """
    if isinstance(source, Image.Image):
        return source
    if isinstance(source, Path):
        stream: IO[bytes] = stack.enter_context(_open_file(source, name))
    else:
        stream = io.BytesIO(source)
    head = stream.read(HEAD)
    if not head:
        raise ImageError(f"{name} is empty; give a complete image file")
    stream.seek(0)
    kind = iso_kind(head)
    return stack.enter_context(_open_heif(stream, name) if kind == "heif" else _open(stream, name, kind == "avif"))


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


def _open(stream: IO[bytes], name: str, is_avif: bool) -> Image.Image:
    """Read the header of the photo in a file, and see that all of it is there where its decoder does not."""
    try:
        image = open_quietly(stream)
    except UnidentifiedImageError as error:
        if is_avif and "AVIF" not in Image.OPEN:
            raise ImageError(
                f"{name} is an AVIF photo, which needs Pillow 11.3; run: pip install -U pillow, or convert it to JPEG"
            ) from error
        raise
    if image.format == "TIFF":
        page = photo_page(stream, name)
        image = open_quietly(stream)
        image.seek(page)
        return image
    if image.format not in ("JPEG", "MPO", "JPEG2000"):
        return image
    stream.seek(-2, io.SEEK_END)
    if not lacks_end(stream.read()):
        stream.seek(0)
        return image
    check_size(image.size, name)
    stream.seek(0)
    data = stream.read()
    if image.format == "JPEG2000":
        check_jpeg2000(data, name)
        stream.seek(0)
        return image
    return open_quietly(io.BytesIO(whole_jpeg(data, name)))


def _open_heif(stream: IO[bytes], name: str) -> Image.Image:
    """Open HEIC without registering a plugin, which would change Pillow for the whole process."""
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageError(
            f'{name} is a HEIC photo, which needs an extra; run: pip install "mien[heic]", or convert it to JPEG'
        ) from error
    try:
        heif = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True)
        check_size(heif.size, name)
        image: Image.Image = heif.to_pillow()
    except IndexError as error:  # it holds no picture of a compression that libheif knows
        raise ImageError(f"{name} is a HEIF file without a photo that can be read; convert it to JPEG") from error
    except (ValueError, RuntimeError, OSError) as error:
        if "compression format" in str(error):
            raise ImageError(
                f"{name} is a HEIF photo of a compression that cannot be read; convert it to JPEG"
            ) from error
        raise
    return image
