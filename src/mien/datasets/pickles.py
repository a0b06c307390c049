"""Archives of encoded verification pairs (``.bin``), which are pickles, read without running what they may hold."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mien.errors import DataError


def read_bin(path: Path) -> tuple[list[bytes], list[bool]]:
    """Read a pickle of a list of 2 P encoded images and a list of P flags.

    A pickle may name any function to be called when it is read. Here only two are known, for bytes as Python 3 writes
    them in Python 2's format and for NumPy's booleans, and neither is the one named but a stand-in; all others are
    refused.

    Returns:
        The encoded images, of which 2 k and 2 k + 1 are a pair, and whether pair k shows one person.

    Raises:
        DataError: the file cannot be read, holds anything else, or names another function.
    """
    try:
        with path.open("rb") as stream:
            content = _Unpickler(stream, encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle makes its reader raise nearly anything
        raise DataError(f"{path} is no archive of pairs ({type(error).__name__}: {error})") from error
    if not _is_archive(content):
        raise DataError(f"{path} is no archive of pairs: a list of images and half as many flags are expected")
    images, same = content
    return list(images), [bool(flag) for flag in same]


def _is_archive(content: object) -> bool:
    if not isinstance(content, (tuple, list)) or len(content) != 2:
        return False
    images, same = content
    lists = isinstance(images, list) and isinstance(same, list)
    return (
        lists
        and len(images) == 2 * len(same) > 0
        and all(isinstance(image, bytes) for image in images)
        and all(isinstance(flag, int) and flag in (0, 1) for flag in same)
    )


class _Unpickler(pickle.Unpickler):
    """Knows the stand-ins alone."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        stand_in = _STAND_INS.get((module, name))
        if stand_in is None:
            raise DataError(
                f"the archive asks for {module}.{name}, which no archive of pairs needs and which could run anything; "
                "do not use this file"
            )
        return stand_in

    def persistent_load(self, pid: object) -> object:
        raise DataError(f"the archive refers to an object outside itself ({pid!r}); do not use this file")


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", b"latin1"):
        raise DataError(f"the archive holds text in the encoding {encoding!r}; do not use this file")
    return text.encode("latin1")


class _Dtype:
    """Stands for NumPy's boolean type."""

    __slots__ = ()

    def __init__(self, code: str | bytes, *_: object) -> None:
        if code not in ("b1", b"b1", "?", b"?"):
            raise DataError(f"the archive holds NumPy values of type {code!r}, where booleans are expected")

    def __setstate__(self, _: object) -> None:
        pass


def _scalar(_: _Dtype, data: bytes) -> bool:
    return data not in (b"\0", "\0")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}
