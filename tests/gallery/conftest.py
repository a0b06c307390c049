from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien import Gallery
from mien.outputs import face_outputs

SIZE = 3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.db"


@pytest.fixture
def gallery(path, tiny_contract):
    with Gallery(path, tiny_contract) as opened:
        yield opened


@pytest.fixture
def wide_contract(tiny_contract):
    """A model of 128 numbers, whose rows fill pages as real ones do."""
    return replace(tiny_contract, model_id="wide-1", outputs=face_outputs(128, (), normalized=False))


@pytest.fixture
def vectors():
    """Random embeddings."""

    def make(count, size=SIZE, seed=0):
        return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)

    return make
