"""Photos with one known face each, through three systems: mien's crops and dlib's, mien's network and dlib's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from _dlib import Peer
from numpy.typing import NDArray

from mien import Mien
from mien.analyzer import CropWay
from mien.datasets import Sample
from mien.errors import DataError, ImageError
from mien.images import Pixels, load_image
from mien.networks import find_dlib_resnet, read_dlib_resnet
from mien.outputs import EXPRESSION, IDENTITY

Floats = NDArray[np.float32]

MIEN = "mien's network on mien's crops"
DLIB_ON_MIEN = "dlib's network on mien's crops"
DLIB = "dlib's network on dlib's crops"
SYSTEMS = (MIEN, DLIB_ON_MIEN, DLIB)
CHUNK = 32


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What the systems say of N photos.

    Attributes:
        samples: the photos that could be read.
        embeddings: ``(N, D)`` for each of `SYSTEMS`.
        expressions: ``(N, C)`` probabilities by mien's network on mien's crops.
        ways: how each crop was made, by mien and by dlib.
        skipped: photos that could not be read, and why.
    """

    samples: tuple[Sample, ...]
    embeddings: dict[str, Floats]
    expressions: Floats
    ways: dict[str, tuple[CropWay, ...]]
    skipped: tuple[str, ...]

    @property
    def identities(self) -> list[str | None]:
        """Who is on each photo."""
        return [sample.identity for sample in self.samples]

    def lines(self) -> list[str]:
        """Counts of the ways, and the photos that could not be read."""
        counts = [
            f"* Crops by {who}, of {len(ways)} photos: "
            + ", ".join(f"{Counter(ways)[way]} {what}" for way, what in WAYS.items())
            for who, ways in self.ways.items()
        ]
        return [*counts, *(f"* Not read: {reason}" for reason in self.skipped)]


WAYS: dict[CropWay, str] = {
    "detected": "of a detected face",
    "padded": "of a face detected after the border was repeated",
    "whole": "resized from the whole photo, as no face was found",
}


class Viewer:
    """The systems, loaded once; dlib's network is read into torch, which gives dlib's own embeddings, faster."""

    def __init__(self, mien: Mien) -> None:
        self._mien = mien
        self._peer = Peer()
        self._network = read_dlib_resnet(find_dlib_resnet()).eval()

    def __call__(self, samples: Sequence[Sample], advance: Callable[[], None]) -> Views:
        """Show all photos to all systems, few at a time.

        Raises:
            DataError: no photo can be read.
            MissingOutputError: the model lacks an answer.
        """
        kept: list[Sample] = []
        skipped: list[str] = []
        ways: dict[str, list[CropWay]] = {"mien": [], "dlib": []}
        answers: list[tuple[Floats, Floats, Floats, Floats]] = []
        for start in range(0, len(samples), CHUNK):
            ours: list[Pixels] = []
            theirs: list[Pixels] = []
            for sample in samples[start : start + CHUNK]:
                advance()
                try:
                    pixels = load_image(sample.source)
                except ImageError as error:
                    skipped.append(str(error))
                    continue
                crop, way = self._mien.largest_crop(pixels)
                chip, chip_way = self._peer.largest_crop(pixels)
                kept.append(sample)
                ours.append(crop.pixels)
                theirs.append(chip)
                ways["mien"].append(way)
                ways["dlib"].append(chip_way)
            if ours:
                answers.append(self._answer(np.stack(ours), np.stack(theirs)))
        if not answers:
            raise DataError(f"none of the {len(samples)} photos can be read: {skipped[0] if skipped else 'no photo'}")
        mien, on_mien, dlib, expressions = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        return Views(
            samples=tuple(kept),
            embeddings={MIEN: mien, DLIB_ON_MIEN: on_mien, DLIB: dlib},
            expressions=expressions,
            ways={who: tuple(taken) for who, taken in ways.items()},
            skipped=tuple(skipped),
        )

    def _answer(self, ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats, Floats]:
        self._mien.contract.require_identity()
        self._mien.contract.require_expression()
        answers = self._mien.model.run(ours)
        return answers[IDENTITY], self._dlib_network(ours), self._dlib_network(theirs), answers[EXPRESSION]

    def _dlib_network(self, crops: NDArray[np.uint8]) -> Floats:
        with torch.inference_mode():
            pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
            embeddings: Floats = self._network(pixels).numpy()
        return embeddings
