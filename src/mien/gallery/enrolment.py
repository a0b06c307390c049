"""From photos to samples of a person, with the checks that keep a gallery clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Mien, Source
from mien.crops import Crop
from mien.errors import GalleryError, ImageError, PersonNotFoundError
from mien.gallery.gallery import Gallery
from mien.gallery.names import normalized_name
from mien.gallery.quality import shortcomings
from mien.images import source_name
from mien.outputs import IDENTITY

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of a photo at enrolment.

    Attributes:
        source: the photo's path, or its position.
        enrolled: whether it became a sample.
        problems: why not; or why it should not have been, when that was overruled.
        warnings: what somebody should look at all the same.
    """

    source: str
    enrolled: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def enroll_photos(
    gallery: Gallery,
    mien: Mien,
    name: str,
    photos: Iterable[Source],
    *,
    consent: str = "",
    expires: datetime | None = None,
    largest: bool = False,
    overrule: bool = False,
    detect: bool = True,
    expected: int | None = None,
) -> list[PhotoReport]:
    """Enrol a person by photos; those that pass the checks become samples, all in one transaction.

    A photo must show one face, large and sharp enough (`mien.gallery.quality`), and like one of the person's other
    samples, if there are any: not farther than the gallery's threshold for verification. A face that looks like
    somebody else who is enrolled is enrolled with a warning. The photos are not kept.

    Args:
        gallery: of the same model.
        mien: finds and describes the face.
        name: who.
        photos: as `Mien.analyze` takes them.
        consent: see `Gallery.enroll`.
        expires: see there.
        largest: take the largest of several faces, instead of refusing the photo.
        overrule: enrol a small or blurred face too, and one unlike the person's other samples.
        detect: False takes each whole image as one face crop.
        expected: see `Gallery.enroll`.

    Returns:
        What became of each photo, in order. When none passed, nothing was changed.

    Raises:
        GalleryError: the gallery is of another model; or see `Gallery.enroll`, whose checks come before the photos are
            looked at, and again after.
    """
    gallery.check_model(mien.contract)
    gallery.check_enrolment(name, consent=consent, expected=expected)
    own = _own_embeddings(gallery, name)
    accepted: list[tuple[str, Floats]] = []
    reports = []
    for position, photo in enumerate(photos, start=1):
        source = source_name(photo, position)
        try:
            crop = _one_face(mien.crops(photo, detect), largest)
        except (GalleryError, ImageError) as error:
            reports.append(PhotoReport(source, False, (str(error),)))
            continue
        embedding = _embedding(mien, crop)
        problems = [*shortcomings(crop), *_disagreement(own, embedding, gallery.thresholds.verification)]
        enrolled = overrule or not problems
        reports.append(PhotoReport(source, enrolled, tuple(problems), _lookalikes(gallery, name, embedding)))
        if enrolled:
            accepted.append((PurePath(source).name, embedding))
            own = np.concatenate([own, embedding[None]])
    if accepted:
        embeddings = np.stack([embedding for _, embedding in accepted])
        sources = [source for source, _ in accepted]
        gallery.enroll(name, embeddings, consent=consent, expires=expires, sources=sources, expected=expected)
    return reports


def _own_embeddings(gallery: Gallery, name: str) -> Floats:
    try:
        return gallery.embeddings(name)
    except PersonNotFoundError:  # a new person
        return np.empty((0, gallery.contract.embedding_size), np.float32)


def _one_face(crops: list[Crop], largest: bool) -> Crop:
    if not crops:
        raise GalleryError("no face was found; use a photo that shows the face from the front")
    if len(crops) > 1 and not largest:
        raise GalleryError(f"{len(crops)} faces were found; use a photo of the person alone, or choose the largest")
    return crops[0]


def _embedding(mien: Mien, crop: Crop) -> Floats:
    embedding: Floats = mien.model.run(crop.pixels[None])[IDENTITY][0].copy()
    return embedding


def _disagreement(own: Floats, embedding: Floats, threshold: float) -> list[str]:
    if not len(own):
        return []
    nearest = float(np.linalg.norm(own.astype(np.float64) - embedding, axis=1).min())
    if nearest <= threshold:
        return []
    return [f"the face is unlike the person's other samples (distance {nearest:.3f}, more than {threshold:.3f})"]


def _lookalikes(gallery: Gallery, name: str, embedding: Floats) -> tuple[str, ...]:
    """The nearest other person, when that one is near enough to be mistaken."""
    found = gallery.identify(embedding, k=2)
    own = normalized_name(name)
    others = [match for match in found.matches if match.name != own and match.distance <= found.threshold]
    return tuple(
        f"looks like {match.name}, who is enrolled too (distance {match.distance:.3f})" for match in others[:1]
    )
