"""Photos with one known face each, through the model, SFace and dlib's network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from _dlib import Peer
from numpy.typing import NDArray

from mien import Mien
from mien.alignment import ALIGNMENTS, LANDMARK_WEIGHTS, Alignment, align, resize_crop
from mien.contract import Contract
from mien.crops import Crop
from mien.datasets import Sample
from mien.errors import DataError, ImageError
from mien.images import Pixels, load_image
from mien.networks import Backbone, load_backbone
from mien.outputs import EXPRESSION, IDENTITY
from mien.types import FoundBy

Floats = NDArray[np.float32]

MODEL = "the model"
SFACE = "SFace"
DLIB = "dlib's network"
DLIB_OWN = "dlib's network on dlib's crops"
SYSTEMS = (MODEL, SFACE, DLIB, DLIB_OWN)
CROPS_PROTOCOL = (
    "Every network but the last sees the largest face that mien finds, aligned as that network was trained: the model "
    "by its contract, SFace (OpenCV Zoo, unmodified) to ArcFace's template, dlib's network (unmodified) to dlib's; so "
    "a model with SFace's alignment sees the same pixels as SFace. The last is dlib's network on dlib's own detector "
    "and crops."
)
CHUNK = 32

WAYS: dict[FoundBy, str] = {
    FoundBy.PHOTO: "of a detected face",
    FoundBy.BORDER: "of a face detected after the border was repeated",
    FoundBy.TURNED_90: "of a face detected after a quarter turn",
    FoundBy.TURNED_180: "of a face detected upside down",
    FoundBy.TURNED_270: "of a face detected after three quarter turns",
    FoundBy.WHOLE: "resized from the whole photo, as no face was found",
}


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What the systems say of N photos.

    Attributes:
        samples: the photos that could be read.
        embeddings: ``(N, D)`` for each of `SYSTEMS`.
        expressions: ``(N, C)`` probabilities of the model.
        ways: how each crop was made, by mien and by dlib.
        skipped: photos that could not be read, and why.
    """

    samples: tuple[Sample, ...]
    embeddings: dict[str, Floats]
    expressions: Floats
    ways: dict[str, tuple[FoundBy, ...]]
    skipped: tuple[str, ...]

    @property
    def identities(self) -> list[str | None]:
        """Who is on each photo."""
        return [sample.identity for sample in self.samples]

    @property
    def people(self) -> NDArray[np.int64]:
        """``(N,)`` numbers of the people, from 0."""
        names = [sample.identity or sample.name for sample in self.samples]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def lines(self) -> list[str]:
        """Counts of the ways, and the photos that could not be read."""
        counts = [
            f"* Crops by {who}, of {len(ways)} photos: "
            + ", ".join(f"{Counter(ways)[way]} {what}" for way, what in WAYS.items())
            for who, ways in self.ways.items()
        ]
        return [*counts, *(f"* Not read: {reason}" for reason in self.skipped)]


class Viewer:
    """The systems, loaded once; SFace and dlib's network are read into torch, which gives their own embeddings."""

    def __init__(self, mien: Mien) -> None:
        mien.contract.require_identity()
        mien.contract.require_expression()
        self._mien = mien
        self._peer = Peer()
        self._sface = load_backbone("sface", "opencv").eval()
        self._dlib = load_backbone("resnet29", "dlib").eval()

    def __call__(self, samples: Sequence[Sample], advance: Callable[[], None]) -> Views:
        """Show all photos to all systems, few at a time.

        Raises:
            DataError: no photo can be read.
        """
        kept: list[Sample] = []
        skipped: list[str] = []
        ways: dict[str, list[FoundBy]] = {"mien": [], "dlib": []}
        answers: list[tuple[dict[str, Floats], Floats]] = []
        for start in range(0, len(samples), CHUNK):
            crops: list[list[Pixels]] = []
            for sample in samples[start : start + CHUNK]:
                advance()
                try:
                    pixels = load_image(sample.source)
                except ImageError as error:
                    skipped.append(str(error))
                    continue
                crop = self._mien.largest_crop(pixels)
                chip, chip_way = self._peer.largest_crop(pixels)
                kept.append(sample)
                faces = [aligned_to(name, pixels, crop, self._mien.contract) for name in ("arcface", "dlib")]
                crops.append([crop.pixels, *faces, chip])
                ways["mien"].append(crop.found_by)
                ways["dlib"].append(chip_way)
            if crops:
                answers.append(self._answer([np.stack(column) for column in zip(*crops, strict=True)]))
        if not answers:
            raise DataError(f"none of the {len(samples)} photos can be read: {skipped[0] if skipped else 'no photo'}")
        return Views(
            samples=tuple(kept),
            embeddings={name: np.concatenate([embeddings[name] for embeddings, _ in answers]) for name in SYSTEMS},
            expressions=np.concatenate([expressions for _, expressions in answers]),
            ways={who: tuple(taken) for who, taken in ways.items()},
            skipped=tuple(skipped),
        )

    def _answer(self, crops: Sequence[NDArray[np.uint8]]) -> tuple[dict[str, Floats], Floats]:
        own, arcface, dlib, chips = crops
        answers = self._mien.model.run(own)
        embeddings = {
            MODEL: answers[IDENTITY],
            SFACE: embed(self._sface, arcface),
            DLIB: embed(self._dlib, dlib),
            DLIB_OWN: embed(self._dlib, chips),
        }
        return embeddings, answers[EXPRESSION]


def aligned_to(name: str, pixels: Pixels, crop: Crop, contract: Contract) -> Pixels:
    """The face of a crop, aligned in another way: by its landmarks, or resized as a whole where it has none.

    Args:
        name: a key of `mien.alignment.ALIGNMENTS`.
        pixels: the photo.
        crop: the model's crop of a face of the photo, with landmarks in pixels of the photo.
        contract: the model's; where its alignment is the one asked for, the crop itself is returned.
    """
    wanted = ALIGNMENTS[name]
    if is_aligned(contract, wanted):
        return crop.pixels
    if crop.landmarks is None:
        return resize_crop(pixels, wanted.crop_size)
    return align(pixels, crop.landmarks, wanted.template, wanted.crop_size, wanted.weights)


def is_aligned(contract: Contract, alignment: Alignment) -> bool:
    """Whether a model is made for this alignment."""
    return (
        contract.crop_size == alignment.crop_size
        and np.allclose(contract.template, alignment.template)
        and np.allclose(contract.landmark_weights or LANDMARK_WEIGHTS, alignment.weights or LANDMARK_WEIGHTS)
    )


def embed(network: Backbone, crops: NDArray[np.uint8]) -> Floats:
    """Embeddings ``(N, D)`` of crops."""
    with torch.inference_mode():
        embeddings: Floats = network(torch.from_numpy(crops).permute(0, 3, 1, 2).float()).numpy()
    return embeddings
