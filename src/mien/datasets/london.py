"""Face Research Lab London Set (DeBruine and Jones, 2017, CC BY 4.0): a neutral and a smiling portrait a person."""

from __future__ import annotations

from pathlib import Path

from mien.datasets.folders import image_files
from mien.datasets.samples import Sample, SampleSet, make_sample_set
from mien.errors import DataError
from mien.types import Expression

NAME = "london"

FOLDERS = {"neutral_front": Expression.NEUTRAL, "smiling_front": Expression.HAPPINESS}


def read_london(root: Path) -> SampleSet:
    """Read ``neutral_front/<id>_03.jpg`` and ``smiling_front/<id>_08.jpg``; the identity is ``<id>``.

    Raises:
        DataError: a folder is missing.
    """
    samples = []
    for folder, expression in FOLDERS.items():
        if not (root / folder).is_dir():
            raise DataError(f"{root} is not the London set: it has no folder {folder}")
        samples += [
            Sample(f"{folder}/{path.name}", path, identity=path.stem.partition("_")[0], expression=expression)
            for path in image_files(root / folder)
        ]
    return make_sample_set(NAME, samples)
