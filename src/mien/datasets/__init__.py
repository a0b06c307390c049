"""Data sets: layouts, one label space, splits by person, augmentation."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mien.datasets.balance import balanced_order, class_weights
from mien.datasets.check import Check, Figure, check_layout, check_photos
from mien.datasets.engine import read_layout, read_pairs
from mien.datasets.labels import parse_expression
from mien.datasets.layout import Entry, Frames, Layout, Official
from mien.datasets.pairs import Pair, numbered_pairs, pair_key, read_lfw_pairs, read_ytf_splits
from mien.datasets.registry import LAYOUTS, READERS, find_layout, read_fer2013, read_index, read_london
from mien.datasets.samples import UNLABELLED, Sample, SampleSet, Skipped
from mien.datasets.splits import drop_repeats, random_order, split_by_person

if TYPE_CHECKING:
    from mien.datasets.augmentation import Augmentation, plain_view
    from mien.datasets.pixels import FacePixels, decode, digest, most_voted

__all__ = [
    "LAYOUTS",
    "READERS",
    "UNLABELLED",
    "Augmentation",
    "Check",
    "Entry",
    "FacePixels",
    "Figure",
    "Frames",
    "Layout",
    "Official",
    "Pair",
    "Sample",
    "SampleSet",
    "Skipped",
    "balanced_order",
    "check_layout",
    "check_photos",
    "class_weights",
    "decode",
    "digest",
    "drop_repeats",
    "find_layout",
    "most_voted",
    "numbered_pairs",
    "pair_key",
    "parse_expression",
    "plain_view",
    "random_order",
    "read_fer2013",
    "read_index",
    "read_layout",
    "read_lfw_pairs",
    "read_london",
    "read_pairs",
    "read_ytf_splits",
    "split_by_person",
]

_NEED_TORCH = {
    **dict.fromkeys(("Augmentation", "plain_view"), "mien.datasets.augmentation"),
    **dict.fromkeys(("FacePixels", "decode", "digest", "most_voted"), "mien.datasets.pixels"),
}


def __getattr__(name: str) -> object:
    """Import what needs torch when it is first used, so that data sets can be listed and checked without it."""
    if name not in _NEED_TORCH:
        raise AttributeError(f"module 'mien.datasets' has no attribute {name!r}")
    value = getattr(import_module(_NEED_TORCH[name]), name)
    globals()[name] = value
    return value
