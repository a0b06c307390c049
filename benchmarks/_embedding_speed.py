"""Embedding of aligned crops: mien against dlib."""

from __future__ import annotations

from itertools import cycle, islice
from statistics import median

import numpy as np
from _dlib import Peer
from _report import Figure, Section, Target
from _setting import EXAMPLES
from _timing import interleave
from numpy.typing import NDArray

from mien import Mien
from mien.images import load_image

COUNT = 32
PILOT = 4
TARGET = Target(10.0, "at least")


def example_crops(peer: Peer, count: int) -> NDArray[np.uint8]:
    """Aligned faces of the example photos, repeated: ``uint8 (count, 150, 150, 3)``."""
    crops = [crop for path in sorted(EXAMPLES.glob("*.jpg")) for crop in peer.crops(load_image(path))]
    return np.stack(list(islice(cycle(crops), count)))


def compare_embedding(mien: Mien, peer: Peer, repeats: int) -> Section:
    """Time 32 crops through both networks, dlib in the way that is faster for it."""
    crops = example_crops(peer, COUNT)
    single, batch = list(crops[:PILOT]), list(crops)
    pilot = interleave(lambda: peer.embed_singly(single), lambda: peer.embed_together(single), 3)
    together = pilot.ratio <= 1
    theirs = peer.embed_together if together else peer.embed_singly
    measured = interleave(lambda: mien.model.run(crops), lambda: theirs(batch), repeats)
    n = f"{COUNT} crops x {repeats}"
    figures = [
        Figure("dlib's time over mien's", measured.ratio, "x", n, *measured.quartiles, target=TARGET),
        Figure("mien, a crop", median(measured.first) / COUNT, "ms", n),
        Figure("dlib, a crop", median(measured.second) / COUNT, "ms", n),
    ]
    lines = [
        f"dlib is called {'with all crops at once' if together else 'once a crop'}, which is the faster way "
        f"(time of a batched call over single ones: {pilot.ratio:.2f})."
    ]
    protocol = f"{COUNT} aligned 150-pixel crops, uint8 arrays in memory; mien answers identity and expression."
    details = {"mien seconds": measured.first, "dlib seconds": measured.second, "pilot ratio": pilot.ratio}
    return Section("Embedding of 32 aligned crops", protocol, "quartiles", figures, lines, details)
