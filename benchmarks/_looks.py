"""What the network says of photos, and of the pictures between two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien import Mien
from mien.datasets import Sample, SampleSet
from mien.errors import DataError, ImageError
from mien.images import Pixels
from mien.outputs import EXPRESSION, IDENTITY
from mien.types import FoundBy

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One photo with a detected face.

    Attributes:
        sample: the photo.
        crop: ``uint8 (S, S, 3)``, what the network sees.
        embedding: ``(D,)``.
        scores: ``(C,)`` expression probabilities.
    """

    sample: Sample
    crop: Pixels
    embedding: Floats
    scores: Floats


def look_at(mien: Mien, samples: SampleSet, advance: Callable[[], None]) -> tuple[list[Look], int]:
    """Look at all photos; those in which no face is found, even with a repeated border, are left out.

    Returns:
        What was seen, and how many photos were left out.

    Raises:
        DataError: no photo remains.
        MissingOutputError: the model answers one question alone.
    """
    kept: list[tuple[Sample, Pixels]] = []
    for sample in samples.samples:
        advance()
        try:
            crop = mien.largest_crop(sample.source)
        except ImageError:
            continue
        if crop.found_by is not FoundBy.WHOLE:
            kept.append((sample, crop.pixels))
    if not kept:
        raise DataError(f"no face was found in any of the {len(samples)} photos of {samples.name}; check the folder")
    answers = answer(mien, [crop for _, crop in kept])
    looks = [Look(sample, crop, *said) for (sample, crop), said in zip(kept, answers, strict=True)]
    return looks, len(samples) - len(looks)


def answer(mien: Mien, crops: Sequence[Pixels]) -> list[tuple[Floats, Floats]]:
    """Embedding and expression probabilities of each crop."""
    mien.contract.require_identity()
    mien.contract.require_expression()
    answers = mien.model.run(np.stack(crops))
    return list(zip(answers[IDENTITY], answers[EXPRESSION], strict=True))


def blend(a: Pixels, b: Pixels, share: float) -> Pixels:
    """A picture between two, ``share`` of the way from the first to the second."""
    return np.rint(a + (b.astype(np.float32) - a) * share).astype(np.uint8)
