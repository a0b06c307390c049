"""What mien answers with: small immutable records, free of any framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.errors import MissingOutputError


class Expression(StrEnum):
    """The one label space of mien, in its canonical order.

    Each data set has a table from its own labels to these; a model names the ones it knows in its contract.
    """

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"
    ANGER = "anger"
    CONTEMPT = "contempt"


class FoundBy(StrEnum):
    """How a face was found in a photo, in the order in which the ways are tried.

    Where nothing is found in the photo as it is, its border is repeated, as the face may fill it; then it is turned, as
    it may lie on its side. Boxes and landmarks are in pixels of the upright photo as given, whatever was done.
    """

    PHOTO = "photo"
    """In the photo as it is."""
    BORDER = "border"
    """With the border repeated around it."""
    TURNED_90 = "turned-90"
    """Turned clockwise by 90 degrees."""
    TURNED_180 = "turned-180"
    """Turned by 180 degrees."""
    TURNED_270 = "turned-270"
    """Turned clockwise by 270 degrees."""
    WHOLE = "whole"
    """Not at all: the whole image was taken as a face crop."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright photo (after its EXIF orientation); x grows right, y grows down.

    The edges may lie outside the photo when a face is cut off.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]; 0 when one has no area.

        >>> round(Box(0, 0, 2, 2).overlap(Box(1, 0, 3, 2)), 3)
        0.333
        """
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        return width * height / (self.area + other.area - width * height)


NameT = TypeVar("NameT", bound=str)


@dataclass(frozen=True, slots=True)
class Scores(Mapping[NameT, float]):
    """Probabilities of the classes that a model knows; they sum to 1.

    Attributes:
        names: the classes, in the order of the model's contract.
        probabilities: theirs, in the same order, each in [0, 1].

    >>> scores = Scores(("glasses", "none"), (0.25, 0.75))
    >>> scores.top, scores["glasses"]
    ('none', 0.25)
    """

    names: tuple[NameT, ...]
    probabilities: tuple[float, ...]

    @property
    def top(self) -> NameT:
        """The most probable class."""
        return max(self, key=self.__getitem__)

    def __getitem__(self, name: str) -> float:
        for known, probability in zip(self.names, self.probabilities, strict=True):
            if known == name:
                return probability
        raise KeyError(name)

    def __iter__(self) -> Iterator[NameT]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class ExpressionScores(Scores[Expression]):
    """Probabilities of the expressions that a model knows; they sum to 1.

    Attributes:
        names: the model's expressions, in the order of its contract.
        probabilities: theirs, in the same order, each in [0, 1].

    >>> scores = ExpressionScores((Expression.NEUTRAL, Expression.HAPPINESS), (0.25, 0.75))
    >>> scores.top, scores["neutral"]
    (<Expression.HAPPINESS: 'happiness'>, 0.25)
    """

    __slots__ = ()


OutputValue = float | Scores[str] | NDArray[np.float32]
"""The answer of a model's further output: a number, probabilities by class, or an embedding ``(D,)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: where it is; the whole image when it was not detected but given as a crop.
        score: the detector's confidence in [0, 1]; 1.0 for a given crop.
        landmarks: ``(5, 2)`` float32, (x, y) in pixels of the upright photo: the eye at the left of the upright face,
            the eye at its right, nose tip, left and right corner of the mouth; None for a given crop.
        aligned: whether the crop was aligned by landmarks. Embeddings of unaligned crops are less reliable.
        embedding: ``(D,)`` float32, the identity embedding, compared by Euclidean distance; of length 1, except from
            models of contract version 1. None when the model has no identity branch.
        expression: probabilities by name; None when the model has no expression branch.
        outputs: the model's other answers by name, such as ``outputs["age"]``; empty for most models.
        found_by: how it was found.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32] | None
    aligned: bool
    embedding: NDArray[np.float32] | None
    expression: ExpressionScores | None
    outputs: Mapping[str, OutputValue] = field(default_factory=dict)
    found_by: FoundBy = FoundBy.PHOTO

    @property
    def identity(self) -> NDArray[np.float32]:
        """The embedding, where one is needed.

        Raises:
            MissingOutputError: the model has no identity output.
        """
        if self.embedding is None:
            raise MissingOutputError.of("identity")
        return self.embedding


@dataclass(frozen=True, slots=True)
class ImageFailure:
    """Stands in a batch's results in the place of an image that could not be analysed.

    Attributes:
        source: the path, or the image's position in the batch ("image 3").
        message: one sentence: what is wrong and what to do.
    """

    source: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Whether two photos show the same person.

    Attributes:
        same: True when ``distance`` is not above ``threshold``.
        distance: Euclidean distance of the two embeddings; smaller is more alike.
        threshold: the threshold that decided.
        face_a: the face of the first photo that was compared: its largest.
        face_b: the face of the second photo that was compared: its largest.
        faces_in_a: how many faces the first photo has.
        faces_in_b: how many faces the second photo has.
    """

    same: bool
    distance: float
    threshold: float
    face_a: Face
    face_b: Face
    faces_in_a: int
    faces_in_b: int
