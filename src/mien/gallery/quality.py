"""What a photo must be to stand for a person."""

from __future__ import annotations

import numpy as np

from mien.crops import Crop
from mien.images import Pixels

MIN_FACE = 64.0
"""Shorter side of a face's box in pixels. On 14 portraits of the London Set that were scaled down, the embedding moved
by 0.11 (median) at 64 pixels, by 0.15 at 48 and by 0.25 at 32, where the model's threshold is 0.517."""

MIN_SHARPNESS = 12.0
"""Least `sharpness`. Portraits of the London Set, their faces at 150 pixels, have 300; 50 when blurred by a Gaussian of
one pixel; 11 at two pixels, where the embedding has moved by 0.23. One in a hundred press photos has less than 13."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def sharpness(pixels: Pixels) -> float:
    """Variance of the Laplacian of the grey picture (Pech-Pacheco et al. 2000).

    Args:
        pixels: ``uint8 (S, S, 3)`` RGB, an aligned crop: of one size, so that the figures can be compared.

    >>> sharpness(np.zeros((8, 8, 3), np.uint8))
    0.0
    """
    grey = pixels.astype(np.float32) @ _LUMA
    around = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    return float(np.var(around - 4 * grey[1:-1, 1:-1]))


def shortcomings(crop: Crop) -> list[str]:
    """What is wrong with a face, in words; empty when it will do."""
    found = []
    side, sharp = min(crop.box.width, crop.box.height), sharpness(crop.pixels)
    if side < MIN_FACE:
        found.append(f"the face is {side:.0f} pixels wide, less than {MIN_FACE:.0f}; come closer or use a larger photo")
    if sharp < MIN_SHARPNESS:
        found.append(f"the face is blurred (sharpness {sharp:.0f}, less than {MIN_SHARPNESS:.0f}); use a sharper photo")
    return found
