"""What may be enrolled, and in whose name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import GalleryError, PersonExistsError, PersonNotFoundError
from mien.gallery.records import Person

NOBODY = 0
"""The number of no person."""


def checked_vectors(embeddings: ArrayLike, size: int, path: Path) -> NDArray[np.float32]:
    """Embeddings as ``(N, size)``.

    Raises:
        GalleryError: they are of another size, or not finite.
    """
    vectors = np.atleast_2d(np.asarray(embeddings, np.float32))
    if vectors.ndim != 2 or vectors.shape[1] != size:
        raise GalleryError(f"embeddings {vectors.shape} do not fit {path}; give {size} numbers each")
    if not np.isfinite(vectors).all():
        raise GalleryError("an embedding is not finite; the model's answer holds NaN or infinity")
    return vectors


def check_enrolment(person: Person | None, name: str, consent: str, expected: int | None, now: datetime) -> None:
    """Refuse to enrol without consent, or when somebody came or went since the caller looked.

    Raises:
        GalleryError: consent is needed and not given.
        PersonExistsError: a new person is expected, and the name is taken.
        PersonNotFoundError: the person that is expected has been removed.
    """
    number = NOBODY if person is None else person.number
    if expected not in (None, number):
        if expected == NOBODY:
            raise PersonExistsError(f"{name} is enrolled already; add samples to that person, or choose another name")
        raise PersonNotFoundError(f"{name} was removed meanwhile; enrol the person anew, with consent")
    if consent.strip():
        return
    if person is None:
        raise GalleryError(f"{name} is new and has given no consent; tell what the person agreed to")
    if person.expired(now):
        raise GalleryError(
            f"the consent of {name} ended on {person.expires:%Y-%m-%d}; tell what the person agrees to now, or remove "
            "the person"
        )
