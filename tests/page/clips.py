"""Clips for a fake camera, cross-faded from photos of people."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from mien import Mien
from mien.images import load_image

SIZE = (640, 480)
FACE = 200
"""Width of a face in a clip, in pixels."""

MIDDLE = (0.42, 0.5)
"""Where its middle is, as shares of the clip's size: in one place, so that faces follow one another; off the axis of
a mirror."""

STILL, FADE = 36, 14
"""Frames for which a photo stands, and in which it becomes the next one; the browser plays 30 a second, in a loop."""


@dataclass(frozen=True)
class Cast:
    """Who plays.

    Attributes:
        photos: of the person who is enrolled.
        clip: that person's face as a challenge asks for it.
        wrong_expression: that person's face, never as asked.
        wrong_person: another one's face as asked.
        policy: what a challenge asks.
    """

    photos: list[Path]
    clip: list[Path]
    wrong_expression: list[Path]
    wrong_person: list[Path]
    policy: dict[str, object]


def london(folder: Path) -> Cast:
    """Two people of the London Set, neutral and smiling."""

    def person(number: str) -> list[Path]:
        return [folder / "neutral_front" / f"{number}_03.jpg", folder / "smiling_front" / f"{number}_08.jpg"]

    right = person("022")
    policy = {"expressions": ["happiness"], "count": 1, "time_limit": 7}
    return Cast(right, right, right[:1], person("003"), policy)


def examples(folder: Path) -> Cast:
    """The example photos: one person smiling, and speaking; no neutral one."""
    smiling, speaking = folder / "obama.jpg", folder / "obama2.jpg"
    policy = {"expressions": ["happiness"], "count": 1, "time_limit": 7, "neutral_first": False}
    return Cast([smiling, speaking], [speaking, smiling], [speaking], [folder / "biden.jpg"], policy)


def cast(folder: Path, example_photos: Path) -> Cast:
    """The London Set where it is present, unpacked into a folder; else the example photos."""
    archive = Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")) / "london.tar"
    if not archive.is_file():
        return examples(example_photos)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return london(folder / "london")


def write_clip(path: Path, photos: list[Path], mien: Mien) -> Path:
    """Write photos as a clip that goes round: each stands for a while and becomes the next."""
    stills = [framed(photo, mien) for photo in photos]
    with av.open(str(path), "w", format="mjpeg") as output:
        stream = output.add_stream("mjpeg", rate=30, options={"qscale": "3"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for pixels in faded(stills):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        output.mux(stream.encode())
    return path


def faded(stills: list[np.ndarray]) -> list[np.ndarray]:
    """The frames of a clip."""
    frames = []
    for still, following in zip(stills, stills[1:] + stills[:1], strict=True):
        frames += [still] * STILL
        for step in range(1, FADE):
            share = step / FADE
            frames.append(((1 - share) * still + share * following).astype(np.uint8))
    return frames


def framed(photo: Path, mien: Mien) -> np.ndarray:
    """A photo as a camera would show it: its face in the middle, and of one size."""
    pixels = load_image(photo)
    box = mien.analyze(pixels)[0].box
    size = np.array(SIZE) * box.width / FACE
    middle = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])
    corner = middle - size * MIDDLE
    frame = Image.fromarray(pixels).transform(
        SIZE, Image.Transform.EXTENT, (*corner, *(corner + size)), Image.Resampling.BICUBIC, fillcolor="#8a8f8c"
    )
    return np.asarray(frame)
