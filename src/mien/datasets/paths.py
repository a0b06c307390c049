"""Photos whose paths tell what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.datasets.layout import Entry
from mien.datasets.samples import Skipped
from mien.errors import DataError
from mien.files import walk
from mien.images import IMAGE_SUFFIXES

IMAGE = rf"\.(?:{'|'.join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))})"
"""The suffix of any image, for patterns."""

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Files:
    """Finds the photos whose paths match a pattern.

    Attributes:
        patterns: regular expressions for the end of a path, with forward slashes and in any case; one that begins with
            ``^`` is for the whole path from the folder given. The groups ``identity``, ``expression``, ``frame`` and
            ``key`` become those fields of an `Entry`, ``part`` and ``part2`` its part, joined by a dash; with a frame,
            the folder within the matched end is the sequence. The first pattern that matches anything is the one used,
            so that of several releases of a set only the preferred one is read.
        other: a pattern of images that belong to the set but are not wanted.
    """

    patterns: tuple[str, ...]
    other: str = ""

    def __call__(self, root: Path) -> Iterator[Entry | Skipped]:
        """The photos below ``root``, and the images that do not fit.

        Raises:
            DataError: nothing fits, or the same photos are there twice.
        """
        if not root.is_dir():
            raise DataError("it is not a folder")
        files = {path.relative_to(root).as_posix(): path for path in walk(root)}
        compiled = [_compile(pattern) for pattern in self.patterns]
        chosen = next((pattern for pattern in compiled if any(map(pattern.fullmatch, files))), None)
        if chosen is None:
            raise DataError(f"none of its {len(files)} files has a path as expected ({_contents(root)})")
        passed_over = [pattern for pattern in compiled if pattern is not chosen]
        if self.other:
            passed_over.append(_compile(self.other))
        seen: dict[str, str] = {}
        for name, path in files.items():
            if match := chosen.fullmatch(name):
                _refuse_copies(seen.setdefault(match["tail"], name), name)
                yield _entry(match, name, path)
            elif path.suffix.lower() in IMAGE_SUFFIXES and not any(other.fullmatch(name) for other in passed_over):
                yield Skipped(name, "its path is not as expected")


def find_file(root: Path, *names: str) -> Path | None:
    """The first file below ``root``, or beside it, that has one of these names in any case."""
    wanted = {name.lower() for name in names}
    below = walk(root) if root.is_dir() else iter(())
    beside = (root.parent / name for name in names)
    return next((path for path in below if path.name.lower() in wanted), None) or next(
        (path for path in beside if path.is_file()), None
    )


def _compile(pattern: str) -> re.Pattern[str]:
    prefix, tail = ("", pattern[1:]) if pattern.startswith("^") else ("(?:.*?/)??", pattern)
    return re.compile(f"{prefix}(?P<tail>{tail})", re.IGNORECASE)


def _entry(match: re.Match[str], name: str, path: Path) -> Entry:
    words = {group: word for group, word in match.groupdict().items() if word is not None}
    return Entry(
        name=name,
        source=path,
        identity=words.get("identity", ""),
        expression=words.get("expression", ""),
        part="-".join(words[group] for group in ("part", "part2") if group in words),
        sequence=words["tail"].rpartition("/")[0] if "frame" in words else "",
        frame=int(words.get("frame", 0)),
        key=words.get("key", ""),
    )


def _refuse_copies(first: str, second: str) -> None:
    if first != second:
        raise DataError(f"it holds the set more than once ({first} and {second}); give the folder of one of them")


def _contents(root: Path) -> str:
    names = sorted(path.name + "/" * path.is_dir() for path in root.iterdir() if not path.name.startswith("."))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"it holds {', '.join(names[:_SHOWN]) or 'nothing'}{more}"
