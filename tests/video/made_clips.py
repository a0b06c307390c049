"""Clips made from photos; for the tests of video and of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

RATE = 10


def write_clip(
    path: Path,
    pictures: Iterable[np.ndarray],
    *,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    rotation: float | None = None,
    hflip: bool = False,
    vflip: bool = False,
    pixel_aspect: Fraction | None = None,
    sound: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write RGB pictures of one size, 10 a second or at the given times, and so many seconds of silence."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = None
        for k, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream(codec, rate=RATE)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = Fraction(1, 1000)
                stream.codec_context.gop_size = 10
                if pixel_aspect is not None:
                    stream.codec_context.sample_aspect_ratio = pixel_aspect
                if rotation is not None:
                    stream.set_display_rotation(rotation, hflip, vflip)
                if sound:
                    write_silence(container, sound)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (k / RATE if times is None else times[k]))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_silence(container: av.container.OutputContainer, seconds: float) -> None:
    """Add a stream of sound."""
    stream = container.add_stream("aac", rate=8000)
    frame = av.AudioFrame.from_ndarray(np.zeros((1, round(8000 * seconds)), np.float32), format="fltp", layout="mono")
    frame.sample_rate = 8000
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def on_canvas(path: Path, size: tuple[int, int] = (320, 240), *, side: int = 200, at: tuple[int, int] = (60, 20)):
    """A photo's middle, ``side`` high and wide, on a grey canvas of (width, height)."""
    with Image.open(path) as photo:
        photo = photo.convert("RGB")
        short = min(photo.size)
        left = (photo.width - short) // 2
        square = photo.crop((left, 0, left + short, short)).resize((side, side))
    canvas = Image.new("RGB", size, (128, 128, 128))
    canvas.paste(square, at)
    return np.asarray(canvas)


def fade(a: np.ndarray, b: np.ndarray, steps: int):
    """Cross-fade, without its ends."""
    return [(a + (b.astype(float) - a) * k / (steps + 1)).round().astype(np.uint8) for k in range(1, steps + 1)]
