"""Find faces and their five landmarks: the `Detector` protocol, and MTCNN on ONNX Runtime.

>>> from mien.detection import MTCNN
>>> from mien.photo import Photo
>>> import numpy as np
>>> MTCNN(threads=1).detect(Photo(np.zeros((60, 80, 3), np.uint8)))
[]
"""

from __future__ import annotations

from mien.detection.detector import Detection, Detector
from mien.detection.mtcnn import MTCNN
from mien.detection.search import AS_IT_IS, EVERY_WAY, find_faces

__all__ = ["AS_IT_IS", "EVERY_WAY", "MTCNN", "Detection", "Detector", "find_faces"]
