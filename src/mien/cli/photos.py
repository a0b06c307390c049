"""From the paths of a command line to a list of photos."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.cli.console import shown
from mien.files import walk
from mien.images import IMAGE_SUFFIXES, PHOTO_BRANDS

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to work on.

    Attributes:
        path: where it is, as given on the command line or found in a folder given there.
        name: where it belongs below an output folder: relative to the folder given, or the file's own name.
    """

    path: Path
    name: Path


@dataclass(frozen=True, slots=True)
class Found:
    """What the paths led to.

    Attributes:
        photos: each file once, in the order given; within a folder sorted by name.
        skipped: files in folders that are no images, neither by name nor by their first bytes.
        problems: a sentence for each folder that cannot be read, and for each path that led to no photo.
    """

    photos: list[Photo]
    skipped: list[Path]
    problems: list[str]


def find_photos(paths: Sequence[str], *, leave_out: Path | None = None) -> Found:
    """Expand files, folders and patterns.

    Folders are searched with their subfolders; hidden files and folders are passed over. A path that does not exist
    and holds ``*``, ``?`` or ``[`` is taken as a pattern (``**`` for any subfolders). Any other path is taken as a
    photo, so that a missing one is reported like a damaged one.

    Args:
        paths: as given on the command line.
        leave_out: a folder whose files are not taken: the output, when it lies inside the input.
    """
    photos: dict[str, Photo] = {}
    skipped: dict[str, Path] = {}
    problems: list[str] = []
    kept_out = None if leave_out is None else Path(os.path.realpath(leave_out))
    for given in paths:
        closed: list[OSError] = []
        files = [(file, root) for root in matches(given) for file in _files(root, kept_out, closed.append)]
        problems += [f"{shown(error.filename)} cannot be read ({error.strerror})" for error in closed]
        for file, root in files:
            if root is file or is_image(file):
                name = Path(file.name) if root is file else file.relative_to(root)
                photos.setdefault(os.path.realpath(file), Photo(file, name))
            else:
                skipped.setdefault(os.path.realpath(file), file)
        if not any(root is file or is_image(file) for file, root in files):
            problems.append(f"no photo was found in {shown(given) or 'an empty path'}")
    return Found(list(photos.values()), list(skipped.values()), problems)


def is_image(path: Path) -> bool:
    """Whether a file is an image by its suffix, or else by its first bytes."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError:
        return False
    return (
        head.startswith(_SIGNATURES)
        or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:] in PHOTO_BRANDS)  # clips begin so too, with brands of their own
    )


def matches(given: str) -> list[Path]:
    """The paths that a pattern matches, sorted; or the path itself, where it is none or is there."""
    if not given:  # a variable that is not set; as a path it would be the present folder
        return []
    if not os.path.lexists(given) and glob.has_magic(given):
        return [Path(match) for match in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207  patterns may be absolute
    return [Path(given)]


def _files(root: Path, kept_out: Path | None, failed: Callable[[OSError], None]) -> Iterator[Path]:
    """The file itself, or the files of a folder except those below ``kept_out``, where that is a folder within."""
    if not root.is_dir():
        yield root
        return
    if kept_out is not None and Path(os.path.realpath(root)).is_relative_to(kept_out):
        kept_out = None
    for file in walk(root, failed):
        if kept_out is None or not Path(os.path.realpath(file)).is_relative_to(kept_out):
            yield file
