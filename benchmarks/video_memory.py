"""Measure whether memory stays flat over a long clip: every frame is decoded, analysed and followed.

    python benchmarks/video_memory.py [--minutes N] [--fps N] [--json FILE]

The clip shows the example photos, cross-faded into one another, at the size of a webcam. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from _report import Figure, Section, Target, publish
from _setting import EXAMPLES, describe, require

SIZE = (640, 480)
SHOWN, FADE = 8.0, 1.0
"""Seconds for which a photo stands, and in which it becomes the next one."""

TARGET = Target(10e6, "at most")
"""Growth over ten minutes. One frame of the clip is 0.9 MB, so none of thousands may be kept."""

TEN_MINUTES, WARM = 600.0, 60.0
"""Seconds: what the growth is told for, and the beginning that does not count, at most half of the clip."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="length of the clip (default: 10)")
    parser.add_argument("--fps", type=int, default=10, metavar="N", help="frames a second (default: 10)")
    parser.add_argument("--model", metavar="MODEL", help="model file or name (default: the shipped one)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and the memory by frame")
    options = parser.parse_args(arguments)
    if options.fps < 1 or options.minutes * 60 * options.fps < 40:
        parser.error("give at least 1 frame a second and 40 frames")
    return options


def write_clip(path: Path, seconds: float, fps: int) -> None:
    """Write a clip of the example photos."""
    from PIL import Image, ImageOps

    from mien.video import ClipWriter

    photos = [
        np.asarray(ImageOps.pad(Image.open(example).convert("RGB"), SIZE), np.float32)
        for example in sorted(EXAMPLES.glob("*.jpg"))
    ]
    with ClipWriter(path) as clip:
        for number in range(round(seconds * fps)):
            at, within = divmod(number / fps, SHOWN)
            this, following = (photos[(int(at) + k) % len(photos)] for k in (0, 1))
            share = max(0.0, (within - SHOWN + FADE) / FADE)
            clip.add(((1 - share) * this + share * following).astype(np.uint8), number / fps)


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sections(options: argparse.Namespace) -> Iterator[Section]:
    """Write the clip in a process of its own, so that its memory is not counted; then analyse it."""
    from mien import Mien
    from mien.video import Tracker, Video, analyze_frames

    with TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as writer:
            writer.submit(write_clip, clip, options.minutes * 60, options.fps).result()
        mien = Mien(options.model)
        tracker = Tracker.for_model(mien.contract)
        with Video(str(clip)) as video:
            sizes = [resident() for _ in analyze_frames(mien, video, tracker)]
    yield _section(np.asarray(sizes, np.float64), options, len(tracker.tracks))


def _section(sizes: np.ndarray, options: argparse.Namespace, tracks: int) -> Section:
    """The slope after the time in which buffers grow to their size."""
    warm = min(round(WARM * options.fps), len(sizes) // 2)
    settled = sizes[warm:]
    seconds = np.arange(len(settled)) / options.fps
    growth = float(np.polyfit(seconds, settled, 1)[0]) * TEN_MINUTES
    n = f"{len(settled)} frames"
    figures = [
        Figure("growth over ten minutes (slope)", growth, "MB", n, target=TARGET),
        Figure("resident memory, first tenth of them", median(settled[: len(settled) // 10]), "MB", n),
        Figure("resident memory, last tenth of them", median(settled[-len(settled) // 10 :]), "MB", n),
        Figure("largest", float(sizes.max()), "MB", f"{len(sizes)} frames"),
    ]
    protocol = (
        f"{options.minutes:g} minutes of {SIZE[0]} x {SIZE[1]} at {options.fps} frames a second, all analysed and "
        f"followed ({tracks} tracks); resident memory after each frame, least squares after the first "
        f"{warm / options.fps:g} seconds."
    )
    return Section("Memory over a long clip", protocol, "", figures, details={"bytes": sizes[:: options.fps].tolist()})


def main() -> None:
    """Measure, print, write."""
    options = parse()
    require("av")
    if not Path("/proc/self/statm").is_file():
        sys.exit("the memory is read from /proc, which this system has not; run it on Linux")
    publish("Video memory", describe(options.model), sections(options), options.json)


if __name__ == "__main__":
    main()
