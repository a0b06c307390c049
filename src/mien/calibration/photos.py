"""From photos of known people to thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Mien
from mien.calibration.choice import Calibration, calibrate_pairs, calibrate_people
from mien.calibration.sources import index_pairs, read_pairs, read_people
from mien.crops import Crop
from mien.errors import ImageError
from mien.evaluation import choose_thresholds
from mien.outputs import EXPRESSION, IDENTITY
from mien.thresholds import ThresholdTable
from mien.types import Expression, ImageFailure

BATCH = 32


@dataclass(frozen=True, slots=True)
class Looked:
    """A photo was looked at.

    Attributes:
        path: the photo.
        total: how many photos there are.
        error: why it cannot be used; None where a face was found.
    """

    path: Path
    total: int
    error: str | None


Observer = Callable[[Looked], None]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoCalibration:
    """Thresholds, and what they could not be chosen on.

    Attributes:
        calibration: the thresholds.
        failures: the photos that could not be used.
    """

    calibration: Calibration
    failures: tuple[ImageFailure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The photos on which a face was found, with its embedding ``(N, D)`` and its expression (by the model)."""

    paths: list[Path]
    embeddings: NDArray[np.float32]
    expressions: list[Expression | None]
    failures: tuple[ImageFailure, ...]


def calibrate_photos(
    mien: Mien, source: Path, *, far: float = 1e-3, bootstrap: int = 500, observer: Observer = lambda _: None
) -> PhotoCalibration:
    """Choose thresholds from photos.

    Args:
        mien: finds and embeds the faces; the largest of each photo counts.
        source: a folder of people's photos (see `read_people`), or a table of pairs (see `read_pairs`).
        far: the false acceptance rate wanted, in (0, 1).
        bootstrap: how often to draw people for the intervals.
        observer: is told of each photo.

    Raises:
        DataError: the source cannot be read, or its photos are too few.
        ModelError: the model has no identity output.
    """
    mien.contract.require_identity()
    if source.is_dir():
        return _from_people(mien, source, far, bootstrap, observer)
    return _from_pairs(mien, source, far, bootstrap, observer)


def thresholds_of_people(
    mien: Mien,
    folder: Path,
    *,
    default_far: float = 1e-3,
    detect: bool = True,
    observer: Observer = lambda _: None,
) -> ThresholdTable:
    """Choose the table of thresholds that a model file carries, on all impostor pairs of known people.

    Args:
        mien: finds and embeds the faces; the largest of each photo counts.
        folder: of people's photos, see `read_people`.
        default_far: see `mien.evaluation.choose_thresholds`.
        detect: False where each image is one face crop already.
        observer: is told of each photo.

    Raises:
        DataError: the folder cannot be read, or its people or photos are too few.
        MissingOutputError: the model has no identity output.
    """
    mien.contract.require_identity()
    labels = {photo.path: photo.identity for photo in read_people(folder)}
    seen = _look(mien, list(labels), observer, detect)
    identities = [labels[path] for path in seen.paths]
    return choose_thresholds(seen.embeddings, identities, name=folder.name, default_far=default_far)


def _from_people(mien: Mien, folder: Path, far: float, bootstrap: int, observer: Observer) -> PhotoCalibration:
    labels = {photo.path: photo for photo in read_people(folder)}
    seen = _look(mien, list(labels), observer)
    given = any(photo.expression for photo in labels.values())
    found = calibrate_people(
        seen.embeddings,
        [labels[path].identity for path in seen.paths],
        model_id=mien.contract.model_id,
        far=far,
        expressions=[labels[path].expression for path in seen.paths] if given else seen.expressions,
        name=folder.name,
        bootstrap=bootstrap,
    )
    return PhotoCalibration(found, seen.failures)


def _from_pairs(mien: Mien, table: Path, far: float, bootstrap: int, observer: Observer) -> PhotoCalibration:
    pairs = read_pairs(table)
    seen = _look(mien, list(dict.fromkeys(path for pair in pairs for path in (pair.first, pair.second))), observer)
    found = calibrate_pairs(
        seen.embeddings,
        index_pairs(pairs, seen.paths),
        model_id=mien.contract.model_id,
        far=far,
        expressions=seen.expressions,
        name=table.name,
        bootstrap=bootstrap,
    )
    return PhotoCalibration(found, seen.failures)


def _look(mien: Mien, paths: Sequence[Path], observer: Observer, detect: bool = True) -> _Seen:
    """The largest face of each photo; those without one are left out."""
    kept: list[Path] = []
    waiting: list[Crop] = []
    failures: list[ImageFailure] = []
    embeddings = [np.empty((0, mien.contract.embedding_size), np.float32)]
    expressions: list[Expression | None] = []
    for path in paths:
        crop = _largest(mien, path, detect)
        if isinstance(crop, ImageFailure):
            failures.append(crop)
        else:
            kept.append(path)
            waiting.append(crop)
        if len(waiting) == BATCH:
            _answer(mien, waiting, embeddings, expressions)
            waiting.clear()
        observer(Looked(path, len(paths), crop.message if isinstance(crop, ImageFailure) else None))
    if waiting:
        _answer(mien, waiting, embeddings, expressions)
    return _Seen(kept, np.concatenate(embeddings), expressions, tuple(failures))


def _answer(
    mien: Mien, crops: Iterable[Crop], embeddings: list[NDArray[np.float32]], expressions: list[Expression | None]
) -> None:
    answers = mien.model.run(np.stack([crop.pixels for crop in crops]))
    embeddings.append(answers[IDENTITY])
    scores = answers.get(EXPRESSION)
    known = mien.contract.expressions
    expressions += [None] * len(embeddings[-1]) if scores is None else [known[k] for k in scores.argmax(axis=1)]


def _largest(mien: Mien, path: Path, detect: bool) -> Crop | ImageFailure:
    try:
        crops = mien.crops(path, detect)
    except ImageError as error:
        return ImageFailure(str(path), str(error))
    return crops[0] if crops else ImageFailure(str(path), f"no face was found in {path}")
