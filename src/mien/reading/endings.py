"""Whether all of a photo is there, where its decoder does not tell: JPEG and JPEG 2000 by their markers.

Other decoders than those two refuse a file that lacks pixels and take one that only lacks what comes after them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mien.errors import ImageError
from mien.reading.opening import open_quietly

_END = b"\xff\xd9"
_JPEG2000_START = b"\xff\x4f\xff\x51"
_START_OF_SCAN, _END_OF_IMAGE, _RESTARTS = 0xDA, 0xD9, range(0xD0, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset((0x01, *_RESTARTS))  # markers without a length
_NEXT = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # within a scan: neither a stuffed byte nor a restart marker
_LAST_RESTART = re.compile(rb".*\xff([\xd0-\xd7])", re.DOTALL)
_COEFFICIENTS = 64
_FILLINGS = 3


def lacks_end(tail: bytes) -> bool:
    """Whether the last bytes of a JPEG or JPEG 2000 file are no end marker; then it may be whole all the same."""
    return tail[-2:] != _END


def whole_jpeg(data: bytes, name: str) -> bytes:
    """A JPEG file that ends with its end marker, or whose pixels are all there; the marker is added where it lacks.

    Raises:
        ImageError: pixels are missing.
    """
    last, components = 0, b""
    levels: dict[tuple[int, int], int] = {}
    for last, segment in _segments(data):
        if last == _START_OF_SCAN:
            levels |= _levels_of(segment)
        elif last in _FRAMES:
            components = segment[6::3]
    if last == _END_OF_IMAGE:
        return data  # and something behind it, as some cameras write
    kept = data.rstrip(b"\xff")
    wanted = {(component, k): 0 for component in components for k in range(_COEFFICIENTS)}
    if wanted and levels == wanted and _decodes_alike(kept):
        return kept + _END
    raise ImageError(f"{name} is cut off: the last part of its pixels is missing; give the whole file")


def check_jpeg2000(data: bytes, name: str) -> None:
    """Refuse a JPEG 2000 file without its end marker: the decoder leaves missing tiles black without a word.

    Raises:
        ImageError: the marker is missing.
    """
    start = data.find(_JPEG2000_START)
    if start >= 0 and data.find(_END, start) < 0:  # which stands nowhere else in such data
        raise ImageError(f"{name} is cut off: a part of its pixels is missing; give the whole file")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers of the first image, each with what its segment holds, up to its end or that of the data."""
    at = 2
    while True:
        while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at + 2 > len(data) or data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker in _BARE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at + 4 : at + 2 + length]
        if marker == _END_OF_IMAGE:
            return
        at += 2 + length
        if marker == _START_OF_SCAN:
            found = _NEXT.search(data, at)
            if found is None:
                return
            at = found.end() - 2


def _levels_of(scan: bytes) -> dict[tuple[int, int], int]:
    """By component and coefficient, how many of its lowest bits are still missing after a scan (ITU-T T.81, B.2.3)."""
    if not scan or len(scan) < 2 * scan[0] + 4:
        return {}
    components = scan[1 : 1 + 2 * scan[0] : 2]
    first, last, bits = scan[2 * scan[0] + 1 : 2 * scan[0] + 4]
    return {(c, k): bits & 15 for c in components for k in range(first, min(last, _COEFFICIENTS - 1) + 1)}


def _decodes_alike(data: bytes) -> bool:
    """Whether the pixels are the same whatever follows: then nothing of what follows was needed for them."""
    chance = np.random.default_rng(0)
    noise = [chance.integers(0, 255, 64, dtype=np.uint8).tobytes() for _ in range(_FILLINGS)]  # without 255
    restart = _LAST_RESTART.match(data[data.rfind(b"\xff\xda") :])
    following = _RESTARTS[(restart[1][0] + 1) % 8 if restart else 0]
    fillings = [*noise, *(bytes((0xFF, following)) + part for part in noise)]
    first = _decoded(data + _END)
    return all(np.array_equal(first, _decoded(data + filling + _END)) for filling in fillings)


def _decoded(data: bytes) -> NDArray[np.uint8]:
    with open_quietly(io.BytesIO(data)) as image:
        return np.asarray(image)
