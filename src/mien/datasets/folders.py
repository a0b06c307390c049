"""Walking folders of photos."""

from __future__ import annotations

from pathlib import Path

from mien.errors import DataError
from mien.files import walk
from mien.images import IMAGE_SUFFIXES


def image_files(root: Path) -> list[Path]:
    """The image files below ``root``, by their suffix, sorted.

    Raises:
        DataError: ``root`` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that the data set was unpacked to")
    return sorted(path for path in walk(root) if path.suffix.lower() in IMAGE_SUFFIXES)
