"""Which page of a TIFF file is the photo: the first may be its thumbnail, as in cameras' raw files (DNG)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from PIL import Image

from mien.errors import ImageError
from mien.reading.opening import open_quietly, quietly

_KIND, _OLD_KIND, _FURTHER = 254, 255, 330  # NewSubfileType, SubfileType, SubIFDs
_REDUCED, _OLD_REDUCED = 1, 2
_MOST_PAGES = 16
"""So many pages are looked at, at most: thumbnails stand in front."""

Size = tuple[int, int]


def photo_page(stream: IO[bytes], name: str) -> int:
    """The number of the page that is the photo, from 0.

    That is the first page which does not call itself reduced; or, where larger ones of the same proportions follow, the
    largest of them.

    Raises:
        ImageError: there are only reduced ones, and what they were made from cannot be read.
    """
    stream.seek(0)
    image = open_quietly(stream)
    with quietly():
        further = _FURTHER in _tags(image)
        sizes: dict[int, Size] = {}
        for page in range(_MOST_PAGES):
            try:
                image.seek(page)
            except EOFError:
                break
            except Exception:  # noqa: BLE001  a damaged page, or a kind that Pillow does not know, must not cost the others
                further = True
                break
            if not _is_reduced(image):
                sizes[page] = image.size
    if not sizes and further:
        raise ImageError(
            f"{name} holds a thumbnail, and its photo in a form that cannot be read (a camera's raw file?); convert it "
            "to JPEG"
        )
    return _best(sizes) if sizes else 0


def _best(sizes: Mapping[int, Size]) -> int:
    first = next(iter(sizes))
    width, height = sizes[first]
    larger = [
        page
        for page, size in sizes.items()
        if size[0] >= 2 * width and abs(width * size[1] - height * size[0]) <= max(size)  # to a pixel of the smaller
    ]
    return max(larger, key=lambda page: sizes[page], default=first)


def _is_reduced(image: Image.Image) -> bool:
    tags = _tags(image)
    return tags.get(_OLD_KIND) == _OLD_REDUCED or bool(int(tags.get(_KIND, 0)) & _REDUCED)


def _tags(image: Image.Image) -> Mapping[int, Any]:
    return image.tag_v2  # type: ignore[attr-defined, no-any-return]  # of TIFF files
