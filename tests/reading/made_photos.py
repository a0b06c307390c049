"""Small pictures in every format, for the tests of reading."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, TiffImagePlugin


def picture(height=48, width=48, seed=0):
    """Colored squares, which compress to little; no two neighbors are alike."""
    colors = np.random.default_rng(seed).integers(0, 256, (-(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return np.kron(colors, np.ones((4, 4, 1), np.uint8))[:height, :width]


def encoded(pixels, kind="PNG", **options):
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(*pages):
    """A TIFF file of pages, each an array and its tags by number."""
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream, new=True) as writer:
        for pixels, tags in pages:
            directory = TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in tags.items():
                directory.tagtype[tag] = 4
                directory[tag] = value
            Image.fromarray(pixels).save(writer, "TIFF", tiffinfo=directory)
            writer.newFrame()
        return stream.getvalue()
