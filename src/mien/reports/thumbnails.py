"""Small photos inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from torch import Tensor

_SIDE = 84


def thumbnail(photo: Tensor) -> str:
    """A ``data:`` address of a JPEG of a photo, uint8 ``(C, S, S)`` with 1 or 3 channels."""
    pixels = np.moveaxis(photo.numpy(), 0, 2)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((_SIDE, _SIDE))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
