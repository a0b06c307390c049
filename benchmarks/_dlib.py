"""dlib used as the face_recognition package uses it: the peer of mien."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.detection.search import BORDER
from mien.images import Pixels, pad_border
from mien.types import FoundBy

SIDE, PADDING = 150, 0.25
UPSAMPLING = 1  # the default of face_recognition.face_locations

Descriptors = NDArray[np.float64]


def model_folder() -> Path:
    """Where dlib's model files are; their package cannot be imported without an old setuptools."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        sys.exit("face_recognition_models is not installed; run: make dev")
    return Path(spec.origin).parent / "models"


class Peer:
    """HOG detector with one upsampling, five-point predictor, ResNet embedding."""

    def __init__(self) -> None:
        folder = model_folder()
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def analyze(self, path: Path) -> list[Descriptors]:
        """One photo, from its file to an embedding for each face."""
        pixels = np.array(Image.open(path).convert("RGB"))
        shapes = [self._predictor(pixels, rectangle) for rectangle in self._detector(pixels, UPSAMPLING)]
        return [np.array(self._network.compute_face_descriptor(pixels, shape, 1)) for shape in shapes]

    def embed_together(self, crops: Sequence[Pixels]) -> Descriptors:
        """Embed aligned crops in one call."""
        return np.array(self._network.compute_face_descriptor(list(crops)))

    def embed_singly(self, crops: Sequence[Pixels]) -> Descriptors:
        """Embed aligned crops, a call each."""
        return np.array([self._network.compute_face_descriptor(crop) for crop in crops])

    def crops(self, pixels: Pixels) -> list[Pixels]:
        """Dlib's own crop of each face."""
        return [self._chip(pixels, rectangle) for rectangle in self._detector(pixels, UPSAMPLING)]

    def largest_crop(self, pixels: Pixels) -> tuple[Pixels, FoundBy]:
        """Dlib's crop of the largest face: of the photo as it is, or with its border repeated, or else of the whole."""
        for fraction in (0.0, BORDER):
            padded = pad_border(pixels, fraction)[0] if fraction else pixels
            if found := self._detector(padded, UPSAMPLING):
                largest = max(found, key=lambda rectangle: rectangle.area())
                return self._chip(padded, largest), FoundBy.BORDER if fraction else FoundBy.PHOTO
        whole = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return np.array(whole), FoundBy.WHOLE

    def threads_used(self) -> str:
        """How many cores the network keeps busy when it may use all: processor time over wall-clock time."""
        crops = [np.zeros((SIDE, SIDE, 3), np.uint8)] * 4
        wall, processor = perf_counter(), process_time()
        self.embed_together(crops)
        busy = (process_time() - processor) / (perf_counter() - wall)
        return f"{busy:.2f} cores busy when all are allowed, {'with' if dlib.DLIB_USE_BLAS else 'without'} BLAS"

    def _chip(self, pixels: Pixels, rectangle: Any) -> Pixels:
        chip: Pixels = dlib.get_face_chip(pixels, self._predictor(pixels, rectangle), SIDE, PADDING)
        return chip
