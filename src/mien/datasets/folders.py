"""Walking folders of photos."""

from __future__ import annotations

import os
from pathlib import Path

from mien.errors import DataError
from mien.images import IMAGE_SUFFIXES


def image_files(root: Path) -> list[Path]:
    """The image files below ``root``, sorted; hidden ones (among them the AppleDouble files of macOS) are left out.

    Raises:
        DataError: ``root`` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that the data set was unpacked to")
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
        ]
    return sorted(found)
