"""From the values of a picture, whatever their kind and range, to 8-bit RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ImageError

_EIGHT, _SIXTEEN = 255, 65535
_SURELY_8 = 128
"""Smallest maximum of floats above 1 that is taken for a picture from 0 to 255: a smaller one may be of any range, say
of linear light."""

_BLOCK = 1 << 20
"""Values that are scaled at a time, so that a large picture needs no large intermediate one."""


def refuse_faint_color(image: Image.Image, name: str) -> None:
    """Refuse an image of 16 bits a color, not decoded yet, of which Pillow would leave next to nothing.

    It keeps the upper 8 bits; pictures of 12 bits, written into 16 without a note, would be almost black.

    Raises:
        ImageError: it is one.
    """
    rawmodes = [tile[3] if isinstance(tile[3], str) else (tile[3] or ("",))[0] for tile in getattr(image, "tile", ())]
    if image.mode.startswith("I") or not any(str(mode).partition(";")[2].startswith("16") for mode in rawmodes):
        return
    image.load()
    if np.asarray(image.convert("RGB")).max() < _EIGHT // 4:
        raise ImageError(
            f"{name} has 16 bits a color and uses the lower ones alone, which cannot be read; convert it to 8 bits"
        )


def samples(image: Image.Image) -> NDArray[Any]:
    """The pixels of a Pillow image of any mode in one of the array forms that `rgb_array` takes."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.asarray(image)
    if image.mode in ("RGB", "L") and "transparency" not in image.info:
        return np.asarray(image)
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def rgb_array(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Bring an array of any form that `mien.images.load_image` takes to contiguous ``uint8 (H, W, 3)``.

    Raises:
        ImageError: it has another shape or type, or values out of every range.
    """
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise ImageError(
            f"{name} is an array of shape {values.shape}; give (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey"
        )
    if values.size == 0:
        raise ImageError(f"{name} is an array without pixels, of shape {values.shape}; give a photo")
    if values.shape[2] == 4:
        pixels = _on_white(_eight_bits(values[..., :3], name), _eight_bits(values[..., 3], name))
    else:
        pixels = _eight_bits(values, name)
    return np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels)


def _eight_bits(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(_EIGHT)
    whole = np.issubdtype(values.dtype, np.integer)
    if not whole and not np.issubdtype(values.dtype, np.floating):
        raise ImageError(f"{name} is an array of {values.dtype}; give uint8 from 0 to 255")
    low, high = values.min().item(), values.max().item()
    if not 0 <= low <= high <= _SIXTEEN or (not whole and 1 < high < _SURELY_8):  # false for NaN too
        raise ImageError(
            f"{name} has {values.dtype} values from {low:g} to {high:g}, where {'' if whole else '0 to 1, '}0 to 255 "
            "or 16 bits are expected; convert it to uint8 from 0 to 255"
        )
    white = 1 if not whole and high <= 1 else white_of(int(np.ceil(high)))
    pixels = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // values[0].size)
    for start in range(0, len(values), rows):
        part = slice(start, start + rows)
        if whole:  # rounded to the nearest; no value lies midway, as white is odd
            pixels[part] = (values[part].astype(np.uint32) * _EIGHT + white // 2) // white
        else:
            pixels[part] = np.rint(values[part] * (_EIGHT / white))
    return pixels


def white_of(largest: int) -> int:
    """What white is in a picture of whole numbers, by the largest that occurs: all ones of so many bits, 8 at least.

    Cameras with 10, 12 or 14 bits write their values into 16 without a note.

    >>> white_of(90), white_of(3800), white_of(60000)
    (255, 4095, 65535)
    """
    return int((1 << max(8, largest.bit_length())) - 1)


def _on_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Transparent parts become white; where all would, the alpha says nothing, as in many 32-bit BMP files."""
    if not alpha.any():
        return pixels
    image = Image.fromarray(np.dstack([pixels, alpha]))
    page = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(page, image).convert("RGB"))
