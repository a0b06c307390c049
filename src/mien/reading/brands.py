"""Photos of the ISO base media family: HEIF with its several compressions, of which AVIF is one (ISO/IEC 23008-12)."""

from __future__ import annotations

from typing import Literal

_HEVC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_AV1 = frozenset((b"avif", b"avis"))
_ANY = frozenset((b"mif1", b"msf1"))  # any compression: the compatible brands tell which
PHOTO_BRANDS = _HEVC | _AV1 | _ANY
"""What stands behind ``ftyp`` in photos; clips begin so too, with brands of their own."""

HEAD = 256
"""How many bytes of a file `iso_kind` wants to see."""


def iso_kind(head: bytes) -> Literal["heif", "avif"] | None:
    """Who reads a file of this family, by its first bytes; None for any other file.

    >>> iso_kind(bytes([0, 0, 0, 24]) + b"ftypmif1" + bytes(4) + b"avifmiaf"), iso_kind(b"GIF89a")
    ('avif', None)
    """
    major = head[8:12]
    if head[4:8] != b"ftyp" or major not in PHOTO_BRANDS:
        return None
    end = int.from_bytes(head[:4], "big")
    compatible = {head[start : start + 4] for start in range(16, min(end, len(head)), 4)}
    brands = compatible if major in _ANY else {major}
    return "avif" if brands & _AV1 and not brands & _HEVC else "heif"
