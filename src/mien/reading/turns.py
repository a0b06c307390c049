"""Which way up a photo is, by its EXIF record."""

from __future__ import annotations

from PIL import Image, ImageFile

_ORIENTATION, _EXIF_IFD, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTERS = (5, 6, 7, 8)


def orientation(image: Image.Image) -> Image.Transpose | None:
    """How an image must be turned to be upright; None: it is upright, or nothing is known.

    Pillow hands the record on to images that are made from an opened one, turned ones too. So it counts for an image as
    it was opened; for one that was made from it only when the record tells the stored size as well, and the image's
    proportions show that it still lies as it was stored. Any other is taken as it stands.
    """
    try:
        record = image.getexif()
        number = record.get(_ORIENTATION, 1)
        if not isinstance(image, ImageFile.ImageFile) and not _lies_as_stored(image, number, record.get_ifd(_EXIF_IFD)):
            return None
        return _TURNS.get(number)
    except Exception:  # noqa: BLE001  a broken record must not cost the photo, whose pixels are fine
        return None


def _lies_as_stored(image: Image.Image, number: int, details: dict[int, int]) -> bool:
    """Whether the proportions are those that the record tells, and would be others after a quarter turn."""
    width, height = details.get(_WIDTH, 0), details.get(_HEIGHT, 0)
    if number not in _QUARTERS or min(width, height) < 1:
        return False
    pixel = max(width, height)  # what rounding to a whole pixel can make of the proportions, as after a resize
    as_stored = abs(image.width * height - image.height * width) <= pixel
    turned = abs(image.height * height - image.width * width) <= pixel
    return as_stored and not turned


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded image as `orientation` says; the image itself when there is nothing to do."""
    turn = orientation(image)
    return image if turn is None else image.transpose(turn)
