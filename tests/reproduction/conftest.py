"""A small set of drawn faces, and answers of networks that were never trained, to be scored by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_answers import SMALL, made_job
from made_trees import grow_crops

from mien.datasets import READERS
from mien.reproduction import find_table
from mien.reproduction.job import Job
from mien.reproduction.material import Material


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people of an aligned Oulu-CASIA, in three folds of two."""
    return grow_crops(tmp_path_factory.mktemp("crops"), 6)


@pytest.fixture(scope="session")
def material(crops: Path) -> Material:
    return Material(find_table("oulu-expression").data[0], READERS["index"](crops), SMALL.cut)


@pytest.fixture
def job(material: Material) -> Job:
    """Two rows of the table that has every protocol on expressions, with two seeds."""
    return made_job(material)
