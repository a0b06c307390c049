"""Find faces and their five landmarks: MTCNN on ONNX Runtime.

>>> from mien.detection import Detector
>>> import numpy as np
>>> Detector(threads=1).detect(np.zeros((60, 80, 3), np.uint8))
[]
"""

from __future__ import annotations

from mien.detection.mtcnn import Detection, Detector

__all__ = ["Detection", "Detector"]
