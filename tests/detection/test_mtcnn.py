"""The detector against facenet-pytorch's MTCNN, and against pictures that break detectors."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from mien.detection import MTCNN, Detection
from mien.detection.networks import Network
from mien.errors import ModelError
from mien.images import load_image
from mien.photo import Photo

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTOS = ("obama.jpg", "obama2.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNN(threads=1)


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).with_name("mtcnn_oracle.py")
    spec = importlib.util.spec_from_file_location("mtcnn_oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(monkeypatch)


def edges(detection: Detection) -> np.ndarray:
    box = detection.box
    return np.array([box.left, box.top, box.right, box.bottom])


class TestAgainstTheOracle:
    @pytest.mark.parametrize(
        ("name", "network", "size"),
        [("PNet", "pnet", (61, 47)), ("RNet", "rnet", (24, 24)), ("ONet", "onet", (48, 48))],
    )
    def test_converted_networks(self, oracle: ModuleType, name: str, network: str, size: tuple[int, int]) -> None:
        import torch

        images = np.random.default_rng(0).integers(0, 256, (7, *size, 3), dtype=np.uint8)
        with torch.no_grad():
            pixels = torch.tensor(images).permute(0, 3, 1, 2).float()
            expected = [output.numpy() for output in getattr(oracle, name)()((pixels - 127.5) / 128)]
        scores, offsets, *points = Network(f"mtcnn-{network}.onnx", 1, None)(images)
        np.testing.assert_allclose(scores, expected[-1][:, 1:], atol=1e-5)
        np.testing.assert_allclose(offsets, expected[0], atol=1e-5)
        if points:
            np.testing.assert_allclose(points[0].transpose(0, 2, 1).reshape(-1, 10), expected[1], atol=1e-5)

    @pytest.mark.parametrize("name", PHOTOS)
    def test_example_photos(self, oracle: ModuleType, detector: MTCNN, name: str) -> None:
        image = Image.open(EXAMPLES / name)
        boxes, scores, points = oracle.MTCNN(min_face_size=40, keep_all=True).detect(image, landmarks=True)
        largest = np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        found = detector.detect(Photo(image))[0]
        tolerance = 0.04 * found.box.width
        np.testing.assert_allclose(edges(found), boxes[largest].astype(float), atol=2 * tolerance)
        np.testing.assert_allclose(found.landmarks, points[largest].astype(float), atol=tolerance)
        assert found.score == pytest.approx(float(scores[largest]), abs=0.02)


class TestExamplePhotos:
    @pytest.mark.parametrize("name", PHOTOS)
    def test_one_large_face(self, detector: MTCNN, name: str) -> None:
        found = detector.detect(Photo(EXAMPLES / name))
        sizes = [detection.box.area for detection in found]
        assert sizes == sorted(sizes, reverse=True)
        assert found[0].score > 0.99
        eye_left, eye_right, nose, mouth_left, mouth_right = found[0].landmarks
        assert eye_left[0] < nose[0] < eye_right[0]
        assert eye_left[1] < nose[1] < mouth_left[1]
        assert mouth_left[0] < mouth_right[0]
        assert all(found[0].box.left < x < found[0].box.right for x, _ in found[0].landmarks)

    def test_two_people_side_by_side(self, detector: MTCNN) -> None:
        left, right = (load_image(EXAMPLES / name)[:460, :396] for name in ("biden.jpg", "obama2.jpg"))
        both = np.concatenate([left, right], axis=1)
        centres = sorted((d.box.left + d.box.right) / 2 for d in detector.detect(Photo(both)) if d.score > 0.9)
        assert len(centres) == 2
        assert centres[0] < 396 < centres[1]

    def test_coordinates_follow_the_scale(self, detector: MTCNN) -> None:
        """A photo three times as large is scaled down first, and must give the same face three times as large."""
        image = Image.open(EXAMPLES / "biden.jpg")
        small = detector.detect(Photo(image))[0]
        large_image = load_image(image.resize((3 * image.width, 3 * image.height), Image.Resampling.BICUBIC))
        large = detector.detect(Photo(large_image))[0]
        np.testing.assert_allclose(large.landmarks / 3, small.landmarks, atol=0.03 * small.box.width)
        np.testing.assert_allclose(edges(large) / 3, edges(small), atol=0.08 * small.box.width)

    def test_a_face_at_the_border(self, detector: MTCNN) -> None:
        """With the right third of the face cut off, what is found lies where the face is."""
        image = load_image(EXAMPLES / "obama.jpg")
        whole = detector.detect(Photo(image))[0]
        cut = image[:, : int(whole.box.left + 0.75 * whole.box.width)]
        found = detector.detect(Photo(cut))[0]
        assert abs(found.box.top - whole.box.top) < 0.25 * whole.box.height
        np.testing.assert_allclose(found.landmarks[0], whole.landmarks[0], atol=0.1 * whole.box.width)

    def test_min_face_leaves_out_smaller_ones(self) -> None:
        image = load_image(EXAMPLES / "biden.jpg")  # its face is 114 px wide
        assert MTCNN(min_face=60, threads=1).detect(Photo(image))
        assert not MTCNN(min_face=250, threads=1).detect(Photo(image))

    def test_threads_of_the_caller_may_share_a_detector(self, detector: MTCNN) -> None:
        image = load_image(EXAMPLES / "biden.jpg")
        expected = detector.detect(Photo(image))
        results: list[list[Detection]] = []
        workers = [threading.Thread(target=lambda: results.append(detector.detect(Photo(image)))) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(results) == 4
        for result in results:
            np.testing.assert_array_equal(edges(result[0]), edges(expected[0]))


class TestHardInputs:
    @pytest.mark.parametrize(
        "shape", [(1, 1), (11, 11), (12, 12), (13, 400), (5000, 13), (1, 5000), (40, 3000), (64, 64)]
    )
    @pytest.mark.parametrize("value", [0, 127, 255])
    def test_no_face(self, detector: MTCNN, shape: tuple[int, int], value: int) -> None:
        assert detector.detect(Photo(np.full((*shape, 3), value, np.uint8))) == []

    def test_noise_stays_bounded(self) -> None:
        """With thresholds at zero every window is a candidate; the limits must hold and the results must be usable."""
        noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
        found = MTCNN(min_face=12, threads=1, thresholds=(0, 0, 0)).detect(Photo(noise))
        assert 0 < len(found) <= 300
        for detection in found:
            assert np.isfinite(edges(detection)).all()
            assert np.isfinite(detection.landmarks).all()
            assert 0 <= detection.score <= 1

    def test_noise_has_no_face(self, detector: MTCNN) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
        assert detector.detect(Photo(noise)) == []

    @pytest.mark.parametrize("min_face", [0, 11, -1, float("nan")])
    def test_wrong_min_face(self, min_face: float) -> None:
        with pytest.raises(ValueError, match="min_face"):
            MTCNN(min_face=min_face)

    @pytest.mark.parametrize("thresholds", [(0.5, 0.5), (0.5, 0.5, 1.5), (0.5, -1, 0.5)])
    def test_wrong_thresholds(self, thresholds: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="thresholds"):
            MTCNN(thresholds=thresholds)

    def test_a_missing_network(self) -> None:
        with pytest.raises(ModelError, match=r"mtcnn-none\.onnx"):
            Network("mtcnn-none.onnx", None, None)


def test_detection_imports_no_torch() -> None:
    import subprocess

    code = "import sys, mien.detection, mien.alignment, mien.images; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
