"""Images in, faces out: the front door."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.alignment import align, resize_crop
from mien.contract import Contract
from mien.detection import Detection, Detector
from mien.errors import ImageError, NoFaceError
from mien.images import ImageSource, Pixels, is_single, load_image, pad_border, source_name
from mien.outputs import EXPRESSION, IDENTITY
from mien.runtime import BATCH_SIZE, Model
from mien.types import Box, ExpressionScores, Face, ImageFailure, Verification

PADDINGS = (0.25, 0.5)
"""How far the border is repeated, one try after the other, around a photo in which no face was found, as fractions of
its longer side. Chosen on tight press photos: of those missed without, 0.25 finds nearly all."""

CropWay = Literal["detected", "padded", "whole"]
"""How a crop was made: from the photo, from the photo with a repeated border, or from all of the photo."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """What the network sees of one face.

    Attributes:
        pixels: ``uint8 (S, S, 3)`` RGB, S the model's crop size.
        box: where the face is; the whole image when it was not detected.
        score: the detector's confidence in [0, 1]; 1.0 when it was not asked.
        landmarks: ``(5, 2)`` float32, as `mien.types.Face.landmarks`; None when it was not asked.
    """

    pixels: Pixels
    box: Box
    score: float
    landmarks: NDArray[np.float32] | None


class Mien:
    """Finds the faces of photos, and says who they are and what their expressions are.

    One instance may be shared by threads: it keeps nothing of an image. An iterator from `analyze_stream` belongs to
    one thread.

    Args:
        model: path of a model file, the name of a shipped one, or None for the default.
        threads: threads of ONNX Runtime within an operation; None leaves it to ONNX Runtime (all cores).
        providers: ONNX Runtime's execution providers by falling preference; None means the CPU.
        min_face: smallest face to look for, in pixels of the photo; None grows with the photo, see
            `mien.detection.Detector`.

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
    ) -> None:
        self.model = Model(model, threads=threads, providers=providers)
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
        with self._lock:
            return self._detector

    @cached_property
    def _detector(self) -> Detector:
        min_face, threads, providers = self._detector_arguments
        return Detector(min_face=min_face, threads=threads, providers=providers)

    def analyze(self, image: ImageSource, detect: bool = True) -> list[Face]:
        """Find and analyse the faces of one photo.

        Args:
            image: a path, an encoded file as bytes, a Pillow image or a ``uint8 (H, W, 3)`` RGB array.
            detect: False takes the whole image as one face crop: it is resized, and the face is marked as not aligned.

        Returns:
            The faces by falling area; an empty list when there is none.

        Raises:
            ImageError: the image cannot be read.
        """
        return self._answer(self.crops(image, detect))

    def analyze_batch(
        self, images: Iterable[ImageSource], detect: bool = True, batch_size: int = BATCH_SIZE
    ) -> list[list[Face] | ImageFailure]:
        """Analyse many photos; see `analyze_stream`, of which this is the list.

        Returns:
            For each image, in order, its faces, or an `ImageFailure` in their place.
        """
        return list(self.analyze_stream(images, detect, batch_size))

    def analyze_stream(
        self, images: Iterable[ImageSource], detect: bool = True, batch_size: int = BATCH_SIZE
    ) -> Iterator[list[Face] | ImageFailure]:
        """Analyse photos as they come, and yield the results as they are ready, in order.

        One photo is held at a time, and the crops of about ``batch_size`` faces, which go through the network together.

        Args:
            images: photos as `analyze` takes them; any iterable, a generator too.
            detect: as in `analyze`.
            batch_size: faces a call of the network.

        Yields:
            For each image its faces, or an `ImageFailure` in their place when it cannot be read.

        Raises:
            ImageError: a single image was given instead of several.
            ValueError: ``batch_size`` is below 1.
        """
        if is_single(images):
            raise ImageError("a single image was given where several are expected; put it into a list or use analyze")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give at least 1")
        return self._stream(images, detect, batch_size)

    def crops(self, image: ImageSource, detect: bool = True) -> list[Crop]:
        """Cut out what the network would see of each face, by falling area; arguments and errors as of `analyze`."""
        return self._crops(load_image(image), detect)

    def largest_crop(self, image: ImageSource) -> tuple[Crop, CropWay]:
        """Cut out the largest face of a photo that is known to show one, in the best way that works.

        A face that fills the photo may be found only after the border was repeated (see `PADDINGS`); where even that
        fails the whole image is resized. The box and landmarks are in pixels of the photo as given.

        Returns:
            The crop, and how it was made.

        Raises:
            ImageError: the image cannot be read.
        """
        pixels = load_image(image)
        if found := self.detector.detect(pixels):
            return self._crop(pixels, found[0]), "detected"
        for fraction in PADDINGS:
            padded, margin = pad_border(pixels, fraction)
            if found := self.detector.detect(padded):
                return _shifted(self._crop(padded, found[0]), margin), "padded"
        return self._crops(pixels, detect=False)[0], "whole"

    def verify(self, a: ImageSource, b: ImageSource, threshold: float | None = None) -> Verification:
        """Compare the largest face of one photo with the largest face of another.

        Args:
            a: the first photo.
            b: the second photo.
            threshold: distance up to which the two count as the same person; None takes the model's recommended one.

        Raises:
            ImageError: a photo cannot be read.
            NoFaceError: a photo has no face; the message names the photo.
            ModelError: the model has no identity output, or recommends no threshold and none is given.
        """
        self.contract.require_identity()
        threshold = self.contract.require_thresholds().default.distance if threshold is None else threshold
        found = []
        for image, name in ((a, source_name(a, 1)), (b, source_name(b, 2))):
            crops = self._crops(load_image(image, name=name), detect=True)
            if not crops:
                raise NoFaceError(f"no face was found in {name}; give a photo with a face, or a smaller min_face")
            found.append(crops)
        face_a, face_b = self._answer([crops[0] for crops in found])
        distance = _distance(face_a, face_b)
        return Verification(distance <= threshold, distance, threshold, face_a, face_b, *map(len, found))

    def _stream(
        self, images: Iterable[ImageSource], detect: bool, batch_size: int
    ) -> Iterator[list[Face] | ImageFailure]:
        waiting: deque[list[Crop] | ImageFailure] = deque()
        cropped = 0
        for position, image in enumerate(images, start=1):
            name = source_name(image, position)
            try:
                crops = self._crops(load_image(image, name=name), detect)
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

    def _crops(self, pixels: Pixels, detect: bool) -> list[Crop]:
        if detect:
            return [self._crop(pixels, found) for found in self.detector.detect(pixels)]
        height, width = pixels.shape[:2]
        whole = Box(0.0, 0.0, float(width), float(height))
        return [Crop(resize_crop(pixels, self.contract.crop_size), whole, 1.0, None)]

    def _crop(self, pixels: Pixels, found: Detection) -> Crop:
        contract = self.contract
        aligned = align(pixels, found.landmarks, contract.template, contract.crop_size, contract.landmark_weights)
        return Crop(aligned, found.box, found.score, found.landmarks)

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
            )
            for i, crop in enumerate(crops)
        ]

    def _scores(self, probabilities: NDArray[np.float32]) -> ExpressionScores:
        return ExpressionScores(self.contract.expressions, tuple(probabilities.tolist()))


def _distance(a: Face, b: Face) -> float:
    return float(np.linalg.norm(a.identity.astype(np.float64) - b.identity))


def _shifted(crop: Crop, margin: int) -> Crop:
    """The crop with its coordinates in the photo without a border."""
    box = Box(crop.box.left - margin, crop.box.top - margin, crop.box.right - margin, crop.box.bottom - margin)
    return replace(crop, box=box, landmarks=None if crop.landmarks is None else crop.landmarks - np.float32(margin))
