"""A data set's photos decoded into one array, ready for training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mien.datasets.samples import UNLABELLED, Sample, SampleSet, Skipped
from mien.errors import DataError, ImageError
from mien.images import Pixels, load_image
from mien.types import Expression


@dataclass(frozen=True, slots=True, eq=False)
class FacePixels:
    """Decoded photos with numbered labels, N of them.

    An expression is a distribution over K classes: all on one class for a photo with a single label, the shares of the
    votes where several people were asked, zeros for an unlabelled photo.

    Attributes:
        name: of the data set.
        images: uint8 ``(N, C, S, S)``; C is 1 when all photos are grey, else 3 (RGB).
        identity: int64 ``(N,)``, positions in ``people``, or -1.
        shares: float32 ``(N, K)``, of the classes that were asked for; rows sum to 1, or to 0 where unlabelled.
        people: the identities, sorted.
        names: the photos' names.
        digests: identify each photo's pixels before resizing.
        skipped: photos that could not be decoded.
    """

    name: str
    images: Tensor
    identity: Tensor
    shares: Tensor
    people: list[str]
    names: list[str]
    digests: list[str]
    skipped: tuple[Skipped, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def expression(self) -> Tensor:
        """int64 ``(N,)``: positions in the classes, or -1; see `most_voted`."""
        return most_voted(self.shares)

    @property
    def unique_expression(self) -> Tensor:
        """As `expression`, but -1 where several classes have equally many votes."""
        if not self.shares.shape[1]:
            return self.expression
        tied = (self.shares == self.shares.amax(dim=1, keepdim=True)).sum(dim=1) > 1
        return self.expression.masked_fill(tied, UNLABELLED)

    def to(self, device: torch.device) -> FacePixels:
        """The same photos and labels on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "identity", "shares")}
        return replace(self, **moved)

    def take(self, positions: Sequence[int]) -> FacePixels:
        """The photos at these positions, in this order."""
        rows = torch.tensor(positions, dtype=torch.int64)
        return replace(
            self,
            images=self.images[rows],
            identity=self.identity[rows],
            shares=self.shares[rows],
            names=[self.names[i] for i in positions],
            digests=[self.digests[i] for i in positions],
        )


def most_voted(shares: Tensor) -> Tensor:
    """The class with the largest share, int64 ``(N,)``: the first of equal ones, -1 for a row of zeros.

    >>> most_voted(torch.tensor([[0.4, 0.6], [0.5, 0.5], [0, 0]])).tolist()
    [1, 0, -1]
    """
    if not shares.shape[1]:
        return torch.full((len(shares),), UNLABELLED, device=shares.device)
    return shares.argmax(dim=1).masked_fill(shares.sum(dim=1) == 0, UNLABELLED)


def digest(pixels: Pixels) -> str:
    """Identify a photo by its decoded pixels, whatever file they come from."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def decode(samples: SampleSet, classes: Sequence[Expression], size: int) -> FacePixels:
    """Decode every photo of a data set and resize it to a square.

    A photo that cannot be decoded is left out, and named in ``skipped``. One whose expressions are none of ``classes``
    is unlabelled; shares of votes are scaled so that those of ``classes`` sum to 1. The array needs
    ``N * C * size * size`` bytes of memory.

    Args:
        samples: the photos.
        classes: the expressions to number, in order.
        size: side S of the squares, in pixels; photos smaller than that stay small if all of them are: see Returns.

    Returns:
        The decoded photos. S is ``size``, or the largest side of the photos when that is smaller.

    Raises:
        DataError: no photo could be decoded.
    """
    images: list[Pixels] = []
    kept, digests, skipped = [], [], list(samples.skipped)
    for sample in samples.samples:
        try:
            pixels = load_image(sample.source)
        except ImageError as error:
            skipped.append(Skipped(sample.name, str(error)))
        else:
            kept.append(sample)
            digests.append(digest(pixels))
            images.append(_shrink(_drop_colour(pixels), size))
    if not images:
        raise DataError(f"none of the {len(samples)} photos of data set {samples.name} can be read")
    people = samples.people
    person = {name: number for number, name in enumerate(people)}
    return FacePixels(
        name=samples.name,
        images=_stack(images),
        identity=torch.tensor([person.get(s.identity or "", UNLABELLED) for s in kept]),
        shares=torch.tensor([_shares(sample, classes) for sample in kept]).view(len(kept), len(classes)),
        people=people,
        names=[s.name for s in kept],
        digests=digests,
        skipped=tuple(skipped),
    )


def _shares(sample: Sample, classes: Sequence[Expression]) -> list[float]:
    said = sample.shares if sample.shares is not None else {sample.expression: 1.0}
    shares = [float(said.get(expression, 0.0)) for expression in classes]
    total = sum(shares)
    return [share / total for share in shares] if total else shares


def _drop_colour(pixels: Pixels) -> Pixels:
    """``(H, W, 1)`` when the photo is grey, to save two thirds of the memory."""
    grey = (pixels == pixels[..., :1]).all()
    return np.ascontiguousarray(pixels[..., :1]) if grey else pixels


def _shrink(pixels: Pixels, size: int) -> Pixels:
    return _resize(pixels, size) if max(pixels.shape[:2]) > size else pixels


def _resize(pixels: Pixels, size: int) -> Pixels:
    picture = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    resized = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
    return resized.reshape(size, size, -1)


def _stack(images: list[Pixels]) -> Tensor:
    side = max(max(image.shape[:2]) for image in images)
    channels = max(image.shape[2] for image in images)
    array = np.empty((len(images), channels, side, side), np.uint8)
    for row, image in enumerate(images):
        square = image if image.shape[:2] == (side, side) else _resize(image, side)
        array[row] = np.moveaxis(square, 2, 0)
    return torch.from_numpy(array)
