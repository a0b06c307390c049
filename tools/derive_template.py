"""Derive the template that makes crops by MTCNN's landmarks coincide with dlib's own face crops.

dlib's face network was trained on crops of 150 pixels with padding 0.25, aligned by dlib's five-point predictor (two
corners of each eye, base of the nose). MTCNN gives other points (eye centres, nose tip, corners of the mouth). This
script finds both in the photos of half of the people, maps MTCNN's landmarks into dlib's crops and takes the median of
each; the other half of the people tells how well crops by that template coincide with dlib's:

* displacement: root mean square over nine points of the crop (corners, edge centres, centre), in pixels of the crop;
* embedding distance: Euclidean, between dlib's embeddings of both crops (0.6 is dlib's threshold for the same person).

    python tools/derive_template.py FOLDER [number of photos, default 3000] [number of embeddings, default 300]

FOLDER has one folder a person with tight face crops in it, such as Labeled Faces in the Wild. Needs the packages
dlib-bin and face-recognition-models (``make dev``).
"""

from __future__ import annotations

import importlib.util
import random
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from mien.alignment import LANDMARK_WEIGHTS, similarity_transform, warp
from mien.detection import Detector
from mien.images import IMAGE_SUFFIXES, load_image, pad_border

SIZE, PADDING = 150, 0.25
DETECTION_BORDER = 0.1  # with it MTCNN finds most faces in tight crops
CROP_BORDER = 0.3  # wide enough for dlib's detector and for its crops
WEIGHTS = {
    "equal weights": (1.0, 1.0, 1.0, 1.0, 1.0),
    "half for the mouth": (1.0, 1.0, 1.0, 0.5, 0.5),
    "eyes and nose": (1.0, 1.0, 1.0, 0.0, 0.0),
    "LANDMARK_WEIGHTS": LANDMARK_WEIGHTS,
}
MIDDLE, END = SIZE / 2, SIZE
GRID = np.array([(x, y, 1) for x in (0, MIDDLE, END) for y in (0, MIDDLE, END)])

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One photo: its landmarks by MTCNN, and dlib's transform to its crop, both in pixels of the widened photo."""

    photo: NDArray[np.uint8]
    landmarks: Matrix
    to_chip: Matrix
    chip: NDArray[np.uint8]


def models() -> Path:
    """Folder of dlib's model files; their package cannot be imported without an old setuptools."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        sys.exit("face-recognition-models is not installed; run: make dev")
    return Path(spec.origin).parent / "models"


def chip_transform(details: dlib.chip_details) -> Matrix:
    """Map of dlib from photo to crop as ``(2, 3)``, for coordinates where pixel i covers [i, i + 1).

    dlib counts from pixel centres, and lays the crop's outer pixel centres on the corners of its rectangle.
    """
    rect, turn = details.rect, np.exp(1j * details.angle)
    centre = complex(rect.left() + rect.right(), rect.top() + rect.bottom()) / 2
    half = complex(1, 1) / 2
    a = (SIZE - 1) / (turn * (rect.right() - rect.left()))
    b = half * (SIZE - 1) - a * centre + half * (1 - a)
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


class Finder:
    """Both ways to find a face."""

    def __init__(self) -> None:
        self.ours = Detector(threads=1)
        self.theirs = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(models() / "shape_predictor_5_face_landmarks.dat"))

    def __call__(self, path: Path) -> Sample | None:
        """One photo through both; None when either finds no face."""
        image = load_image(path)
        narrow, narrow_border = pad_border(image, DETECTION_BORDER)
        wide, wide_border = pad_border(image, CROP_BORDER)
        found = self.ours.detect(narrow)
        rectangles = self.theirs(wide, 0) or self.theirs(wide, 1)
        if not found or not rectangles:
            return None
        rectangle = max(rectangles, key=lambda r: r.area())
        details = dlib.get_face_chip_details(self.predictor(wide, rectangle), SIZE, PADDING)
        landmarks = found[0].landmarks.astype(np.float64) + (wide_border - narrow_border)
        return Sample(wide, landmarks, chip_transform(details), dlib.extract_image_chip(wide, details))


def derive(samples: list[Sample]) -> Matrix:
    """Median position of each landmark in dlib's crops: ``(5, 2)``."""
    return np.median([s.landmarks @ s.to_chip[:, :2].T + s.to_chip[:, 2] for s in samples], axis=0)


def displacements(samples: list[Sample], template: Matrix, weights: tuple[float, ...]) -> Matrix:
    """How far apart both crops show the same point of the photo: ``(N,)`` pixels of the crop."""
    result = []
    for sample in samples:
        ours = similarity_transform(sample.landmarks, template, weights)
        back = np.linalg.inv(np.vstack([sample.to_chip, (0, 0, 1)]))
        result.append(np.sqrt(np.sum((GRID @ (ours @ back).T - GRID[:, :2]) ** 2, axis=1).mean()))
    return np.array(result)


def embedding_distances(samples: list[Sample], template: Matrix, weights: tuple[float, ...]) -> Matrix:
    """Distance of dlib's embeddings of both crops: ``(N,)``."""
    network = dlib.face_recognition_model_v1(str(models() / "dlib_face_recognition_resnet_model_v1.dat"))
    crops = [warp(s.photo, similarity_transform(s.landmarks, template, weights), SIZE) for s in samples]
    ours, theirs = (np.array(network.compute_face_descriptor(c)) for c in (crops, [s.chip for s in samples]))
    return np.sqrt(np.sum((ours - theirs) ** 2, axis=1, dtype=np.float64))


def halves(folder: Path, count: int) -> tuple[list[Path], list[Path]]:
    """A random sample of photos, split by person."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    random.Random(0).shuffle(paths)  # noqa: S311
    first = [path for path in paths[:count] if zlib.crc32(path.parent.name.encode()) % 2 == 0]
    return first, [path for path in paths[:count] if path not in set(first)]


def main(folder: str, count: str = "3000", embeddings: str = "300") -> None:
    """Print template, displacements and embedding distances."""
    find = Finder()
    fitted, held_out = (
        [sample for path in half if (sample := find(path)) is not None] for half in halves(Path(folder), int(count))
    )
    template = derive(fitted)
    points = ", ".join(f"({x:.2f}, {y:.2f})" for x, y in template)
    lines = [f"template from {len(fitted)} photos: {points}", f"held out: {len(held_out)} photos of other people"]
    for name, weights in WEIGHTS.items():
        d = displacements(held_out, template, weights)
        e = embedding_distances(held_out[: int(embeddings)], template, weights)
        lines.append(
            f"{name}: displacement rms {np.sqrt(np.mean(d**2)):.2f} median {np.median(d):.2f} px; "
            f"embedding distance mean {e.mean():.3f} 95 % below {np.percentile(e, 95):.3f} (n = {len(e)})"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
