"""Images in, faces out: the front door."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.contract import Contract
from mien.crops import Crop, cut_faces
from mien.detection import EVERY_WAY, MTCNN, Detector
from mien.errors import ImageError, NoFaceError
from mien.images import ImageSource, is_single, source_name
from mien.outputs import EXPRESSION, IDENTITY
from mien.photo import Photo
from mien.runtime import BATCH_SIZE, Model
from mien.types import ExpressionScores, Face, FoundBy, ImageFailure, Verification

Source: TypeAlias = "ImageSource | Photo"
"""What can be given as a photo: see `mien.images.ImageSource`; or a `mien.photo.Photo`."""

NO_DETECTION = (FoundBy.WHOLE,)
"""The way of images that are face crops already."""


class Mien:
    """Finds the faces of photos, and says who they are and what their expressions are.

    One instance may be shared by threads: it keeps nothing of an image. An iterator from `analyze_stream` belongs to
    one thread.

    Args:
        model: path of a model file, the name of a shipped one, or None for the default.
        threads: threads of ONNX Runtime within an operation; None leaves it to ONNX Runtime (all cores).
        providers: ONNX Runtime's execution providers by falling preference; None means the CPU.
        min_face: smallest face to look for, in pixels of the photo; None: see `mien.detection.MTCNN`.
        detector: finds the faces; None takes `mien.detection.MTCNN`, when it is first needed.

    Attributes:
        model: the network.

    Raises:
        ModelError: the model file is missing, damaged or does not keep its contract.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        min_face: float | None = None,
        detector: Detector | None = None,
    ) -> None:
        self.model = Model(model, threads=threads, providers=providers)
        self._min_face = min_face
        self._given_detector = detector
        self._detector_arguments = (min_face, threads, providers)
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Mien({self.contract.model_id!r})"

    @property
    def contract(self) -> Contract:
        """What the model promises."""
        return self.model.contract

    @property
    def detector(self) -> Detector:
        """The face detector; loaded when it is first needed.

        Raises:
            ValueError: ``min_face`` is smaller than the detector can see.
        """
        if self._given_detector is not None:
            return self._given_detector
        with self._lock:
            return self._own_detector

    @cached_property
    def _own_detector(self) -> Detector:
        min_face, threads, providers = self._detector_arguments
        return MTCNN(min_face=min_face, threads=threads, providers=providers)

    def analyze(self, image: Source, detect: bool = True, *, ways: Sequence[FoundBy] = EVERY_WAY) -> list[Face]:
        """Find and analyse the faces of one photo.

        Args:
            image: a path, an encoded file as bytes, a Pillow image, a ``uint8 (H, W, 3)`` RGB array, or a `Photo`.
            detect: False takes the whole image as one face crop: it is resized, and the face is marked as not aligned.
            ways: the ways to look for faces, tried in order until one finds some; see `mien.types.FoundBy`.

        Returns:
            The faces, sorted by area, largest first; an empty list when there is none.

        Raises:
            ImageError: the image cannot be read.
        """
        return self._answer(self.crops(image, detect, ways=ways))

    def analyze_batch(
        self, images: Iterable[Source], detect: bool = True, batch_size: int = BATCH_SIZE
    ) -> list[list[Face] | ImageFailure]:
        """Analyse many photos; see `analyze_stream`, of which this is the list.

        Returns:
            For each image, in order, its faces, or an `ImageFailure` in their place.
        """
        return list(self.analyze_stream(images, detect, batch_size))

    def analyze_stream(
        self,
        images: Iterable[Source],
        detect: bool = True,
        batch_size: int = BATCH_SIZE,
        *,
        ways: Sequence[FoundBy] = EVERY_WAY,
    ) -> Iterator[list[Face] | ImageFailure]:
        """Analyse photos as they come, and yield the results as they are ready, in order.

        One photo is held at a time, and the crops of about ``batch_size`` faces, which go through the network together.

        Args:
            images: photos as `analyze` takes them; any iterable, a generator too.
            detect: as in `analyze`.
            batch_size: faces a call of the network.
            ways: as in `analyze`.

        Yields:
            For each image its faces, or an `ImageFailure` in their place when it cannot be read.

        Raises:
            ImageError: a single image was given instead of several.
            ValueError: ``batch_size`` is below 1.
        """
        if is_single(images) or isinstance(images, Photo):
            raise ImageError("a single image was given where several are expected; put it into a list or use analyze")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give at least 1")
        return self._stream(images, ways if detect else NO_DETECTION, batch_size)

    def crops(self, image: Source, detect: bool = True, *, ways: Sequence[FoundBy] = EVERY_WAY) -> list[Crop]:
        """Cut out what the network would see of each face, largest first; arguments and errors as of `analyze`."""
        return self._crops(image, source_name(image), ways if detect else NO_DETECTION)

    def largest_crop(self, image: Source) -> Crop:
        """Cut out the largest face of a photo that is known to show one; where none is found, resize the whole image.

        Raises:
            ImageError: the image cannot be read.
        """
        return self.crops(image, ways=(*EVERY_WAY, FoundBy.WHOLE))[0]

    def verify(self, a: Source, b: Source, threshold: float | None = None, *, detect: bool = True) -> Verification:
        """Compare the largest face of one photo with the largest face of another.

        Args:
            a: the first photo.
            b: the second photo.
            threshold: distance up to which the two count as the same person; None takes the model's recommended one.
            detect: False takes each whole image as one face crop.

        Raises:
            ImageError: a photo cannot be read.
            NoFaceError: a photo has no face; the message names the photo.
            ModelError: the model has no identity output, or recommends no threshold and none is given.
        """
        self.contract.require_identity()
        threshold = self.contract.require_thresholds().default.distance if threshold is None else threshold
        found = []
        for image, name in ((a, source_name(a, 1)), (b, source_name(b, 2))):
            crops = self._crops(image, name, EVERY_WAY if detect else NO_DETECTION)
            if not crops:
                raise NoFaceError(f"no face was found in {name}; give a photo with a face, or a smaller min_face")
            found.append(crops)
        face_a, face_b = self._answer([crops[0] for crops in found])
        distance = _distance(face_a, face_b)
        return Verification(distance <= threshold, distance, threshold, face_a, face_b, *map(len, found))

    def _stream(
        self, images: Iterable[Source], ways: Sequence[FoundBy], batch_size: int
    ) -> Iterator[list[Face] | ImageFailure]:
        waiting: deque[list[Crop] | ImageFailure] = deque()
        cropped = 0
        for position, image in enumerate(images, start=1):
            name = source_name(image, position)
            try:
                crops = self._crops(image, name, ways)
            except ImageError as error:
                waiting.append(ImageFailure(name, str(error)))
            else:
                waiting.append(crops)
                cropped += len(crops)
            del image  # a photo may be large, and the next one is about to be read
            if not cropped or cropped >= batch_size:
                yield from self._finish(waiting)
                cropped = 0
        yield from self._finish(waiting)

    def _finish(self, waiting: deque[list[Crop] | ImageFailure]) -> Iterator[list[Face] | ImageFailure]:
        faces = iter(self._answer([crop for entry in waiting if isinstance(entry, list) for crop in entry]))
        while waiting:
            entry = waiting.popleft()
            yield entry if isinstance(entry, ImageFailure) else [next(faces) for _ in entry]

    def _crops(self, image: Source, name: str, ways: Sequence[FoundBy]) -> list[Crop]:
        photo = image if isinstance(image, Photo) else Photo(image, name=name)
        detector = None if ways == NO_DETECTION else self.detector
        return cut_faces(photo, detector, self.contract, ways=ways, min_face=self._min_face)

    def _answer(self, crops: Sequence[Crop]) -> list[Face]:
        if not crops:
            return []
        answers = self.model.run(np.stack([crop.pixels for crop in crops]))
        embeddings, expressions = answers.get(IDENTITY), answers.get(EXPRESSION)
        return [
            Face(
                box=crop.box,
                score=crop.score,
                landmarks=crop.landmarks,
                aligned=crop.landmarks is not None,
                embedding=None if embeddings is None else embeddings[i].copy(),
                expression=None if expressions is None else self._scores(expressions[i]),
                outputs={output.name: output.read(answers[output.name][i]) for output in self.contract.others},
                found_by=crop.found_by,
            )
            for i, crop in enumerate(crops)
        ]

    def _scores(self, probabilities: NDArray[np.float32]) -> ExpressionScores:
        return ExpressionScores(self.contract.expressions, tuple(probabilities.tolist()))


def _distance(a: Face, b: Face) -> float:
    return float(np.linalg.norm(a.identity.astype(np.float64) - b.identity))
