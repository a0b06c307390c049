"""What a frame shows, as far as an authentication is concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import AuthenticationError, MissingOutputError
from mien.types import Box, ExpressionScores, Face


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One face of a frame.

    Attributes:
        box: where it is.
        embedding: D numbers.
        distance: Euclidean distance of the embedding from the nearest reference.
        expression: probabilities.
    """

    box: Box
    embedding: tuple[float, ...]
    distance: float
    expression: ExpressionScores


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame.

    Attributes:
        time: when it was taken, in seconds of the challenge's clock; when it arrived, for frames that a client pushes.
        faces: all its faces.
    """

    time: float
    faces: tuple[SeenFace, ...]


def observe(time: float, faces: Sequence[Face], references: NDArray[np.floating]) -> Observation:
    """Reduce the faces of a frame to what is decided by.

    Args:
        time: when the frame was taken.
        faces: as `mien.Mien.analyze` returns them.
        references: ``(K, D)`` embeddings of the person claimed, K at least 1, by the same model.

    Raises:
        AuthenticationError: there is no reference, or faces or references do not fit.
        MissingOutputError: the model of a face has no identity or no expression output.
    """
    references = _checked(references)
    return Observation(time, tuple(_seen(face, references) for face in faces))


def _checked(references: NDArray[np.floating]) -> NDArray[np.float64]:
    if references.ndim != 2 or not len(references):
        raise AuthenticationError(
            f"references of shape {references.shape} cannot be compared; give (K, D) with K at least 1"
        )
    return references.astype(np.float64)


def _seen(face: Face, references: NDArray[np.float64]) -> SeenFace:
    if face.expression is None:
        raise MissingOutputError.of("expression")
    if face.identity.shape != references.shape[1:]:
        raise AuthenticationError(
            f"references have {references.shape[1]} numbers and the frame's face {len(face.identity)}; "
            "make the references with the model that looks at the frames"
        )
    distance = float(np.linalg.norm(references - face.identity, axis=1).min())
    return SeenFace(face.box, tuple(face.identity.tolist()), distance, face.expression)
