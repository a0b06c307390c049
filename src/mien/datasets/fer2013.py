"""FER2013 (Goodfellow et al., 2013): 48x48 grey web faces with seven expressions, in either of its two forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.folders import image_files
from mien.datasets.labels import FER2013_CODES, parse_expression
from mien.datasets.samples import Sample, SampleSet, Skipped, make_sample_set
from mien.datasets.tables import read_table
from mien.errors import DataError
from mien.images import Pixels

NAME = "fer2013"
SIDE = 48

USAGES = {"training": "train", "publictest": "public-test", "privatetest": "private-test"}
"""From the table's ``Usage`` column, and the beginnings of file names, to the parts' names."""


def read_fer2013(root: Path) -> SampleSet:
    """Read FER2013 with the parts ``train``, ``public-test`` and ``private-test``.

    Args:
        root: the folder with ``train/<expression>/*.jpg`` and ``test/<expression>/*.jpg`` (where ``test`` may mix both
            test parts, told apart by the beginnings of the file names, as its users have it), or the original
            ``fer2013.csv`` with the columns ``emotion,pixels,Usage``, or a folder that holds that file.

    Raises:
        DataError: it is neither.
    """
    table = root / "fer2013.csv" if root.is_dir() else root
    if table.is_file():
        return _read_table(table)
    if not (root / "train").is_dir():
        raise DataError(
            f"{root} is not FER2013: expected train/<expression>/*.jpg and test/<expression>/*.jpg, or fer2013.csv"
        )
    return _read_folders(root)


def _read_folders(root: Path) -> SampleSet:
    samples, skipped = [], []
    for path in image_files(root):
        name = path.relative_to(root).as_posix()
        part, _, rest = name.partition("/")
        expression = parse_expression(rest.partition("/")[0])
        if part not in ("train", "test") or expression is None:
            skipped.append(Skipped(name, "it is not in train/<expression> or test/<expression>"))
            continue
        prefix = USAGES.get(path.stem.partition("_")[0].lower())
        samples.append(Sample(name, path, expression=expression, split="train" if part == "train" else prefix or part))
    return make_sample_set(NAME, samples, skipped)


def _read_table(path: Path) -> SampleSet:
    samples, skipped = [], []
    for line, row in read_table(path, ("emotion", "pixels", "usage")):
        name = f"{path.name}:{line:06d}"
        try:
            samples.append(
                Sample(
                    name,
                    _parse_pixels(row["pixels"]),
                    expression=FER2013_CODES[int(row["emotion"])],
                    split=USAGES[row["usage"].lower()],
                )
            )
        except (ValueError, IndexError, KeyError) as error:
            skipped.append(Skipped(name, f"its row cannot be read ({error})"))
    return make_sample_set(NAME, samples, skipped)


def _parse_pixels(text: str) -> Pixels:
    values = np.array(text.split(), dtype=np.int64)
    if values.size != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        raise ValueError(f"expected {SIDE * SIDE} pixels of 0 to 255")
    return np.repeat(values.astype(np.uint8).reshape(SIDE, SIDE, 1), 3, axis=2)
