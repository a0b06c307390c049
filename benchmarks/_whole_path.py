"""From a photo's file to its faces: mien against dlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from _dlib import Peer
from _report import Figure, Section, Target
from _timing import Comparison, interleave, pooled

from mien import Mien

PROTOCOL = (
    "From the JPEG file to every face: mien with identity and expression, dlib (HOG detector with one upsampling, "
    "five-point model, ResNet, as in the face_recognition package) with identity alone. Per photo one untimed run, "
    "then runs in turn; ratio of neighbouring runs."
)
TARGET = Target(4.0, "at least")


def compare_photos(
    title: str, paths: Sequence[Path], mien: Mien, peer: Peer, repeats: int, progress: Callable[[], None]
) -> Section:
    """Time both on the same photos."""
    comparisons: list[Comparison] = []
    for path in paths:
        comparisons.append(interleave(partial(mien.analyze, path), partial(peer.analyze, path), repeats))
        progress()
    both = pooled(comparisons)
    per_photo = [comparison.ratio for comparison in comparisons]
    faces = sum(len(mien.analyze(path)) for path in paths), sum(len(peer.analyze(path)) for path in paths)
    n = f"{len(paths)} photos x {repeats}"
    figures = [
        Figure("dlib's time over mien's", both.ratio, "x", n, *both.quartiles, target=TARGET),
        Figure("mien, a photo", median(both.first), "ms", n),
        Figure("dlib, a photo", median(both.second), "ms", n),
    ]
    lines = [
        f"Faces found: mien {faces[0]}, dlib {faces[1]}. "
        f"Medians of single photos: {min(per_photo):.2f}x to {max(per_photo):.2f}x."
    ]
    details = {path.name: {"mien": c.first, "dlib": c.second} for path, c in zip(paths, comparisons, strict=True)}
    return Section(title, PROTOCOL, "quartiles", figures, lines, {"seconds": details})
