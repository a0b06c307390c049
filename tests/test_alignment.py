"""Alignment against known transforms, against dlib's crops, and at the borders."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.alignment import DLIB_TEMPLATE, LANDMARK_WEIGHTS, align, resize_crop, similarity_transform, warp
from mien.detection import MTCNN
from mien.errors import ImageError
from mien.images import load_image
from mien.photo import Photo

EXAMPLES = Path(__file__).parents[1] / "examples"
TEMPLATE = np.array(DLIB_TEMPLATE)


def similarity(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9) + np.cos(y / 11), np.sin((x + y) / 13), np.cos((x - y) / 15)]
    return np.stack([np.interp(wave, (-2, 2), (0, 255)) for wave in waves], axis=2).astype(np.uint8)


class TestSimilarityTransform:
    @settings(deadline=None)
    @given(
        st.floats(0.05, 20),
        st.floats(-3.1, 3.1),
        st.floats(-500, 500),
        st.floats(-500, 500),
        st.sampled_from([None, LANDMARK_WEIGHTS, (0, 0, 1, 2, 3)]),
    )
    def test_recovers_a_similarity(self, scale, angle, x, y, weights) -> None:
        expected = similarity(scale, angle, x, y)
        np.testing.assert_allclose(
            similarity_transform(TEMPLATE, apply(expected, TEMPLATE), weights), expected, rtol=1e-7, atol=1e-7
        )

    @settings(deadline=None)
    @given(st.integers(0, 1000), st.sampled_from([(1, 1, 1, 1, 1), LANDMARK_WEIGHTS]))
    def test_no_nearby_similarity_is_better(self, seed: int, weights) -> None:
        rng = np.random.default_rng(seed)
        source, target = rng.normal(size=(2, 5, 2)) * 50

        def loss(matrix: np.ndarray) -> float:
            return float(np.sum(np.array(weights)[:, None] * (apply(matrix, source) - target) ** 2))

        best = similarity_transform(source, target, weights)
        for _ in range(10):
            a, b, x, y = rng.normal(size=4) * (1e-3, 1e-3, 0.1, 0.1)
            assert loss(best) <= loss(best + np.array([[a, -b, x], [b, a, y]])) + 1e-9

    def test_is_umeyamas_solution(self) -> None:
        """The published form: rotation from the covariance's singular value decomposition, scale from its trace."""
        rng = np.random.default_rng(0)
        source = TEMPLATE + rng.normal(size=(5, 2)) * 3
        target = apply(similarity(2.5, 0.4, 30, -7), TEMPLATE) + rng.normal(size=(5, 2)) * 3
        s, t = source - source.mean(axis=0), target - target.mean(axis=0)
        u, d, v = np.linalg.svd(t.T @ s / 5)
        sign = np.diag([1, np.linalg.det(u) * np.linalg.det(v)])
        rotation, scale = u @ sign @ v, np.trace(np.diag(d) @ sign) / s.var(axis=0).sum()
        expected = np.column_stack([scale * rotation, target.mean(axis=0) - scale * rotation @ source.mean(axis=0)])
        np.testing.assert_allclose(similarity_transform(source, target), expected, atol=1e-9)

    def test_never_reflects(self) -> None:
        mirrored = TEMPLATE * (-1, 1)
        assert np.linalg.det(similarity_transform(TEMPLATE, mirrored)[:, :2]) > 0

    def test_a_weight_of_zero_ignores_the_point(self) -> None:
        moved = TEMPLATE.copy()
        moved[3] += 100
        result = similarity_transform(moved, TEMPLATE, (1, 1, 1, 0, 1))
        np.testing.assert_allclose(result, np.eye(2, 3), atol=1e-9)

    def test_coinciding_points(self) -> None:
        with pytest.raises(ValueError, match="coincide"):
            similarity_transform(np.ones((5, 2)), TEMPLATE)


class TestAlign:
    @pytest.mark.parametrize("shift", [(0, 0), (20, -7), (-13, 29)])
    def test_a_shift_by_whole_pixels_copies_pixels(self, shift: tuple[int, int]) -> None:
        image = smooth(220, 240)
        x, y = 40 + shift[0], 30 + shift[1]
        crop = align(image, TEMPLATE + np.array([x, y]), TEMPLATE, 150)
        assert np.abs(crop.astype(int) - image[y : y + 150, x : x + 150]).max() <= 1

    @pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 3.3, 8.0])
    @pytest.mark.parametrize("angle", [0.0, 0.5, -2.0])
    def test_marks_at_the_landmarks_come_to_the_template(self, scale: float, angle: float) -> None:
        landmarks = apply(similarity(scale, angle, 900, 900), TEMPLATE - 75)
        y, x = np.mgrid[:1800, :1800] + 0.5
        image = np.zeros((1800, 1800, 3), np.uint8)
        for px, py in landmarks:
            image[(x - px) ** 2 + (y - py) ** 2 < (3 * scale) ** 2] = 255
        crop = align(image, landmarks, TEMPLATE, 150)[:, :, 0].astype(float)
        cy, cx = np.mgrid[:150, :150] + 0.5
        for px, py in TEMPLATE:
            near = crop * ((cx - px) ** 2 + (cy - py) ** 2 < 36)
            assert near.sum() > 0
            tolerance = 0.4 + 0.3 / scale  # a mark is drawn in whole pixels of the photo
            assert (near * cx).sum() / near.sum() == pytest.approx(px, abs=tolerance)
            assert (near * cy).sum() / near.sum() == pytest.approx(py, abs=tolerance)

    def test_a_fine_pattern_becomes_its_mean(self) -> None:
        """A board of 1-pixel squares has no other honest picture at a sixth of its size."""
        board = np.indices((1000, 1000)).sum(axis=0) % 2 * 255
        image = np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)
        crop = align(image, TEMPLATE * 6 + 20, TEMPLATE, 150)
        assert np.abs(crop.astype(int) - 127).max() <= 8

    @pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
    def test_outside_the_border_is_repeated(self, scale: float) -> None:
        photo = np.zeros((300, 300, 3), np.uint8)
        photo[:, :, 0] = np.linspace(40, 240, 300)[:, None]  # changes from top to bottom alone
        crop = align(photo, (TEMPLATE - [75, 0]) * scale, TEMPLATE, 150).astype(int)  # the left border in the middle
        assert np.abs(crop - crop[:, 100:101]).max() <= 1

    def test_wholly_outside_is_the_nearest_corner(self) -> None:
        photo = np.zeros((50, 50, 3), np.uint8)
        photo[-1, -1] = 9
        assert (align(photo, TEMPLATE + 5000, TEMPLATE, 150) == 9).all()

    def test_a_face_much_larger_than_the_photo_costs_no_memory(self) -> None:
        crop = align(np.full((50, 50, 3), 7, np.uint8), (TEMPLATE - 75) * 1e5, TEMPLATE, 150)
        assert (crop == 7).all()

    def test_one_pixel(self) -> None:
        crop = align(np.full((1, 1, 3), 9, np.uint8), TEMPLATE / 150, TEMPLATE, 150)
        assert crop.shape == (150, 150, 3)

    def test_a_crop_depends_on_its_region_only(self) -> None:
        image = smooth(900, 900)
        landmarks = apply(similarity(2.2, 0.3, 450, 450), TEMPLATE - 75)
        crop = align(image, landmarks, TEMPLATE, 150)
        part = align(image[200:700, 200:700], landmarks - 200, TEMPLATE, 150)
        assert np.abs(crop.astype(int) - part).max() <= 2

    @pytest.mark.parametrize(
        "landmarks", [np.full((5, 2), 3.0), np.full((5, 2), np.nan), np.full((5, 2), np.inf), np.zeros((4, 2))]
    )
    def test_unusable_landmarks(self, landmarks: np.ndarray) -> None:
        with pytest.raises(ImageError, match="landmarks"):
            align(smooth(200, 200), landmarks, TEMPLATE, 150)


def chip_transform(details) -> np.ndarray:
    """Map of dlib's crop from photo to crop: its outer pixel centres lie on the corners of a turned rectangle."""
    rect, c, s = details.rect, np.cos(details.angle), np.sin(details.angle)
    centre = np.array([rect.left() + rect.right(), rect.top() + rect.bottom()]) / 2
    half = (rect.right() - rect.left()) / 2
    ends = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
    in_photo = half * ends @ np.array([[c, s], [-s, c]]) + centre + 0.5  # dlib counts from pixel centres
    return similarity_transform(in_photo, 74.5 * ends + 75)


class TestAgainstDlib:
    @pytest.mark.parametrize(("scale", "angle"), [(0.5, 0.0), (1.0, 0.3), (1.4, -0.7), (1.95, 0.1)])
    def test_the_same_transform_gives_the_same_pixels(self, scale: float, angle: float) -> None:
        dlib = pytest.importorskip("dlib")
        image = smooth(500, 500)
        corner, side = 250 - 75 * scale, 150 * scale
        details = dlib.chip_details(
            dlib.drectangle(corner, corner, corner + side, corner + side), dlib.chip_dims(150, 150), angle
        )
        theirs = dlib.extract_image_chip(image, details)
        ours = warp(image, chip_transform(details), 150)
        assert np.abs(ours.astype(int) - theirs).max() <= 1

    @pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg"])
    def test_crops_of_the_example_photos_coincide(self, name: str) -> None:
        """Within 7 of 150 pixels: the spread of either landmark predictor. A template 10 pixels off would fail."""
        dlib = pytest.importorskip("dlib")
        spec = importlib.util.find_spec("face_recognition_models")
        if spec is None:
            pytest.skip("face-recognition-models is not installed (make dev installs it)")
        models = Path(spec.origin).parent / "models"
        predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        image = load_image(EXAMPLES / name)
        rectangle = max(dlib.get_frontal_face_detector()(image, 0), key=lambda r: r.area())
        theirs = chip_transform(dlib.get_face_chip_details(predictor(image, rectangle), 150, 0.25))
        landmarks = MTCNN(threads=1).detect(Photo(image))[0].landmarks
        ours = similarity_transform(landmarks, DLIB_TEMPLATE, LANDMARK_WEIGHTS)
        corners = np.array([[0, 0], [150, 0], [0, 150], [150, 150]])
        back = np.linalg.inv(np.vstack([theirs, (0, 0, 1)]))[:2]
        off = apply(ours, apply(back, corners)) - corners
        assert np.sqrt(np.sum(off**2, axis=1).mean()) < 7


class TestResizeCrop:
    @pytest.mark.parametrize("shape", [(48, 48), (150, 150), (600, 600), (1, 1), (30, 48), (300, 200), (1, 5000)])
    def test_shape_and_colour(self, shape: tuple[int, int]) -> None:
        crop = resize_crop(np.full((*shape, 3), 77, np.uint8), 150)
        assert crop.shape == (150, 150, 3)
        assert (crop == 77).all()

    def test_keeps_proportions(self) -> None:
        """A square mark in a tall crop stays square."""
        image = np.zeros((300, 200, 3), np.uint8)
        image[100:160, 70:130] = 255
        rows, columns = np.nonzero(resize_crop(image, 150)[:, :, 0] > 127)
        assert np.ptp(rows) == np.ptp(columns) == 29

    def test_the_right_size_is_untouched(self) -> None:
        image = smooth(150, 150)
        np.testing.assert_array_equal(resize_crop(image, 150), image)

    def test_is_antialiased(self) -> None:
        board = np.repeat((np.indices((900, 900)).sum(axis=0) % 2 * 255)[:, :, None], 3, axis=2).astype(np.uint8)
        assert np.abs(resize_crop(board, 150).astype(int) - 127).max() <= 4
