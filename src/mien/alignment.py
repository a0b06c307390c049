"""From a photo and five landmarks to the canonical crop that a network was trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mien.errors import ImageError
from mien.photo import Photo, halvings

DLIB_TEMPLATE = ((47.27, 45.66), (101.71, 45.46), (74.43, 77.64), (51.01, 104.82), (98.08, 104.75))
"""Where MTCNN's five landmarks lie in dlib's own 150-pixel crops (padding 0.25), on which its face network was trained.

Each is the median over faces of Labeled Faces in the Wild (tight grey crops) that both detectors found; half of the
people served to derive it, the other half to test it. ``tools/derive_template.py`` explains the figures and printed::

    template from 1424 photos: (47.27, 45.66), (101.71, 45.46), (74.43, 77.64), (51.01, 104.82), (98.08, 104.75)
    held out: 1524 photos of other people
    equal weights: displacement rms 7.01 median 5.41 px; embedding distance mean 0.150 95 % below 0.239 (n = 300)
    half for the mouth: displacement rms 6.28 median 4.70 px; embedding distance mean 0.141 95 % below 0.223 (n = 300)
    eyes and nose: displacement rms 6.34 median 4.70 px; embedding distance mean 0.140 95 % below 0.236 (n = 300)
    LANDMARK_WEIGHTS: displacement rms 4.42 median 3.25 px; embedding distance mean 0.116 95 % below 0.189 (n = 300)
"""

ARCFACE_TEMPLATE = (
    (38.7946, 52.1963),
    (74.0318, 52.0014),
    (56.5252, 72.2366),
    (42.0493, 92.8655),
    (71.2299, 92.7041),
)
"""Where the five landmarks lie in the 112-pixel crops of the ArcFace line, whose alignment weighs all five alike.

InsightFace's figures plus a half: there a pixel's centre is a whole number, here pixel i covers [i, i + 1)."""

LANDMARK_WEIGHTS = (1.0, 1.0, 0.4, 0.05, 0.05)
"""How much each landmark counts in the alignment: the eyes most, the mouth hardly, as it moves with the expression and
dlib's crops are aligned by eyes and nose alone. Chosen on the people from whom the template was derived, among nose
weights from 0.2 to 0.8 and mouth weights from 0 to 0.15, where the displacement hardly changes near the best."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """To which landmarks faces are brought.

    Attributes:
        template: five points, in pixels of the crop.
        crop_size: side of the crop, in pixels.
        weights: of the landmarks; None means `LANDMARK_WEIGHTS`.
    """

    template: tuple[tuple[float, float], ...]
    crop_size: int
    weights: tuple[float, ...] | None = None


ALIGNMENTS = {
    "dlib": Alignment(DLIB_TEMPLATE, 150),
    "arcface": Alignment(ARCFACE_TEMPLATE, 112, (1.0,) * 5),
}
"""The alignments that recipes name."""


def similarity_transform(
    source: ArrayLike, target: ArrayLike, weights: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """The rotation, uniform scale and shift that bring points closest to others, in (weighted) least squares.

    With points as complex numbers the map is ``z -> a z + b`` and the least-squares solution is the regression
    ``a = sum(w conj(s) t) / sum(w |s|^2)`` of centred points; a reflection cannot arise. The same solution as
    S. Umeyama, IEEE TPAMI 13(4), 1991, for two dimensions.

    Args:
        source: ``(N, 2)`` points, at least two different ones.
        target: ``(N, 2)`` where they should come to lie.
        weights: ``(N,)`` weights of the squared distances, not negative; None means equal ones.

    Returns:
        ``(2, 3)`` matrix ``m`` that maps (x, y) to ``m @ (x, y, 1)``.

    Raises:
        ValueError: all source points coincide.

    >>> similarity_transform([[0, 0], [1, 0]], [[5, 5], [5, 7]]).round(6).tolist()
    [[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]]
    """
    s, t = (np.asarray(points, np.float64) @ np.array([1, 1j]) for points in (source, target))
    w = np.full(len(s), 1 / len(s)) if weights is None else np.asarray(weights, np.float64) / np.sum(weights)
    s_mean, t_mean = w @ s, w @ t
    spread = w @ np.abs(s - s_mean) ** 2
    if not spread > 0:
        raise ValueError("all source points coincide; give at least two different ones")
    a = (w * np.conj(s - s_mean)) @ (t - t_mean) / spread
    b = t_mean - a * s_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def align(
    image: Photo | NDArray[np.uint8],
    landmarks: ArrayLike,
    template: ArrayLike,
    size: int,
    weights: Sequence[float] | None = None,
) -> NDArray[np.uint8]:
    """Cut out a face, turned and scaled so that its landmarks lie as close as possible to the template.

    A face that is larger than the crop is averaged over areas before it is sampled, so that it does not alias. What
    lies outside the photo repeats its border, so that no hard edge is taken for a part of the face. Black, as dlib has
    it, makes no difference to its own network: 98.2 % verification accuracy either way, on 919 tightly cut photos.

    Args:
        image: a photo, or ``uint8 (H, W, 3)``.
        landmarks: ``(5, 2)`` (x, y) in pixels of the image, where pixel i covers [i, i + 1).
        template: ``(5, 2)`` where they should come to lie, in pixels of the crop.
        size: side of the crop in pixels.
        weights: how much each landmark counts; None for `LANDMARK_WEIGHTS`.

    Returns:
        ``uint8 (size, size, 3)``.

    Raises:
        ImageError: the landmarks are not finite or coincide.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all() or not np.ptp(points[:3], axis=0).any():
        raise ImageError("the landmarks are not five different points (x, y); detect the face again")
    transform = similarity_transform(points, template, weights or LANDMARK_WEIGHTS)
    if math.hypot(transform[0, 0], transform[1, 0]) < 1e-6:
        raise ImageError("the landmarks do not have the layout of a face; detect the face again")
    return warp(image, transform, size)


def warp(image: Photo | NDArray[np.uint8], transform: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Sample a crop through a similarity transform from image to crop; see `align`.

    The region is reduced by the largest whole factor that leaves a pixel for each pixel of the crop, then sampled
    bilinearly. Below a factor of 2 this is exactly what dlib does; above it, sharper and softer ways came out farther
    from dlib's embeddings. A large JPEG file may have been reduced by its decoder, by 2, 4 or 8 within that factor.
    """
    photo = image if isinstance(image, Photo) else Photo(image)
    inverse = np.linalg.inv(np.vstack([transform, (0, 0, 1)]))[:2]
    depth, pixels = photo.finest(halvings(math.hypot(inverse[0, 0], inverse[1, 0])))
    inverse /= 2**depth
    reduction = max(1, math.floor(math.hypot(inverse[0, 0], inverse[1, 0])))
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]]) @ inverse.T
    margin = 2 * reduction
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    bounds = np.array(pixels.size)
    inner_low = low.clip(0, bounds - 1)
    inner_high = high.clip(inner_low + 1, bounds)
    region = pixels.crop(*inner_low.tolist(), *inner_high.tolist()).reduce(reduction)
    first, last = (low - inner_low) // reduction, -((inner_low - high) // reduction)
    inverse[:, 2] -= inner_low
    inverse /= reduction
    inverse[:, 2] -= first
    region = _repeat_border(region, first, last)
    crop = region.transform(
        (size, size), Image.Transform.AFFINE, tuple(inverse.ravel().tolist()), Image.Resampling.BILINEAR
    )
    return np.array(crop)


def _repeat_border(region: Image.Image, first: NDArray[np.int_], last: NDArray[np.int_]) -> Image.Image:
    """The pixels from ``first`` to ``last`` (x, y), which may lie outside the region: there its border is repeated."""
    width, height = region.size
    if not first.any() and (last == (width, height)).all():
        return region
    rows = np.arange(first[1], last[1]).clip(0, height - 1)
    columns = np.arange(first[0], last[0]).clip(0, width - 1)
    return Image.fromarray(np.asarray(region)[rows[:, None], columns])


def resize_crop(image: Photo | NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bring a whole image that is already a face crop to the crop's size, antialiased.

    A crop that is not square keeps its proportions, as a stretched face is another face to a network; the shorter side
    is filled up by repeating the border.

    Args:
        image: a photo, or ``uint8 (H, W, 3)``.
        size: side of the result in pixels.

    Returns:
        ``uint8 (size, size, 3)``.

    >>> resize_crop(np.full((48, 30, 3), 7, np.uint8), 150).shape
    (150, 150, 3)
    """
    photo = image if isinstance(image, Photo) else Photo(image)
    scale = size / max(photo.width, photo.height)
    inner = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    depth, pixels = photo.finest(halvings(1 / scale))
    box = (0, 0, photo.width / 2**depth, photo.height / 2**depth)
    resized = np.array(pixels.crop(0, 0, *pixels.size).resize(inner, Image.Resampling.BILINEAR, box=box))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    around = ((top, size - inner[1] - top), (left, size - inner[0] - left), (0, 0))
    return np.pad(resized, around, mode="edge")
