"""Small data sets in the layouts of real ones, with what real folders hold besides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Grow = Callable[..., Path]


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Make files below a folder: photos by their names, texts by names and contents."""

    def make(*photos: str, **texts: str) -> Path:
        for number, name in enumerate(photos):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            suffix = path.suffix.lower().lstrip(".")
            kind = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "pgm": "PPM"}.get(suffix, "GIF")
            Image.new("L", (8, 8), number % 256).save(path, kind)
        for name, text in texts.items():
            write(tmp_path / name, text)
        return tmp_path

    return make


@pytest.fixture
def clutter(tmp_path: Path) -> Callable[[str], None]:
    """Put beside a file what systems leave in folders: AppleDouble files, a thumbnail cache and the like."""

    def make(beside: str) -> None:
        path = tmp_path / beside
        for name in (f"._{path.name}", "Thumbs.db", ".DS_Store", "desktop.ini"):
            (path.parent / name).write_bytes(b"\0\5\x16\7")
        write(tmp_path / "__MACOSX" / f"._{path.name}", "no photo")

    return make


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
