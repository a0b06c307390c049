"""Data sets: layouts, one label space, splits by person, augmentation."""

from __future__ import annotations

from mien.datasets.augmentation import Augmentation, plain_view
from mien.datasets.fer2013 import read_fer2013
from mien.datasets.index import read_index
from mien.datasets.labels import parse_expression
from mien.datasets.london import read_london
from mien.datasets.pixels import FacePixels, decode, digest
from mien.datasets.registry import READERS
from mien.datasets.samples import UNLABELLED, Sample, SampleSet, Skipped
from mien.datasets.splits import drop_repeats, random_order, split_by_person

__all__ = [
    "READERS",
    "UNLABELLED",
    "Augmentation",
    "FacePixels",
    "Sample",
    "SampleSet",
    "Skipped",
    "decode",
    "digest",
    "drop_repeats",
    "parse_expression",
    "plain_view",
    "random_order",
    "read_fer2013",
    "read_index",
    "read_london",
    "split_by_person",
]
