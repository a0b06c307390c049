"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mien.datasets.fer2013 import read_fer2013
from mien.datasets.index import read_index
from mien.datasets.london import read_london
from mien.datasets.samples import SampleSet

READERS: dict[str, Callable[[Path], SampleSet]] = {
    "fer2013": read_fer2013,
    "index": read_index,
    "london": read_london,
}
"""From a layout's name to the function that reads a folder of that layout."""
