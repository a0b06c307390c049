"""What a person's name may be, so that it means the same person on every way in."""

from __future__ import annotations

import string
import unicodedata

from mien.errors import GalleryError

MAX_NAME = 200
"""Characters of a name."""

_JOINERS = "\u200c\u200d"  # parts of names in Persian and in Indian scripts


def normalized_name(name: str) -> str:
    r"""A name in its composed form (NFC), without spaces and joiners around it: what looks the same is the same.

    >>> normalized_name(" Jose\u0301 ") == "José"
    True
    """
    return unicodedata.normalize("NFC", name).strip(string.whitespace + _JOINERS).strip()


def checked_name(name: str) -> str:
    """The same, of a name that may be enrolled: it can be read, and stand in a path of the service.

    Raises:
        GalleryError: the name is empty or too long, holds control characters or a slash, or is ``.`` or ``..``.
    """
    name = normalized_name(name)
    # Spaces (Zs) of other scripts, such as the ideographic one, do not count as printable in Python.
    readable = all(c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs" for c in name)
    if not name or len(name) > MAX_NAME or not readable or "/" in name or name in (".", ".."):
        raise GalleryError(
            f"the name {name[:MAX_NAME]!r} is no readable text of 1 to {MAX_NAME} characters without /; give another"
        )
    return name


def storable(text: str) -> str:
    r"""A text without what UTF-8 cannot hold: bytes of a file's name that are none, which Python keeps as surrogates.

    >>> print(storable("a" + chr(0xDCFF) + ".jpg"))
    a\udcff.jpg
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
