"""Thresholds from the user's own faces for a wanted false acceptance rate, with their cost and their intervals."""

from __future__ import annotations

from mien.calibration.choice import Calibration, Choice, GenuineDistances, calibrate_pairs, calibrate_people
from mien.calibration.photos import Looked, PhotoCalibration, calibrate_photos, thresholds_of_people
from mien.calibration.sources import LabelledPhoto, PhotoPair, read_pairs, read_people

__all__ = [
    "Calibration",
    "Choice",
    "GenuineDistances",
    "LabelledPhoto",
    "Looked",
    "PhotoCalibration",
    "PhotoPair",
    "calibrate_pairs",
    "calibrate_people",
    "calibrate_photos",
    "read_pairs",
    "read_people",
    "thresholds_of_people",
]
