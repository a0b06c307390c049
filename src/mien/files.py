"""Walking folders."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path


def _refuse(error: OSError) -> None:
    raise error


def walk(folder: Path, failed: Callable[[OSError], None] = _refuse) -> Iterator[Path]:
    """Yield the regular files of a folder and its subfolders, sorted, without hidden ones.

    Hidden are names that begin with a dot, the AppleDouble files of macOS among them. Links are followed, except to
    folders that hold them. What cannot be looked at, like a link to nothing, is yielded too: whoever reads it says so.

    Args:
        folder: where to look.
        failed: is told of each folder that cannot be read; raises the error by default.

    Raises:
        OSError: a folder cannot be read.
    """
    yield from _walk(folder, frozenset(), failed)


def _walk(folder: Path, above: frozenset[tuple[int, int]], failed: Callable[[OSError], None]) -> Iterator[Path]:
    try:
        own = folder.stat()
        paths = sorted(folder.iterdir())
    except OSError as error:
        failed(error)
        return
    above |= {(own.st_dev, own.st_ino)}
    folders: list[Path] = []
    for path in paths:
        if path.name.startswith("."):
            continue
        try:
            found = path.stat()
        except OSError:
            yield path
            continue
        if stat.S_ISREG(found.st_mode):
            yield path
        elif stat.S_ISDIR(found.st_mode) and (found.st_dev, found.st_ino) not in above:
            folders.append(path)
    for below in folders:
        yield from _walk(below, above, failed)
