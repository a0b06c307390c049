"""A problem small enough for a run in a fraction of a second."""

from __future__ import annotations

import pytest

from mien.comparison.experiments.two_digits import TwoDigits


@pytest.fixture
def digits() -> TwoDigits:
    """Prepared."""
    problem = TwoDigits(epochs=2, pairs=200, evaluated=200, learning_rates=(1e-2,))
    problem.prepare()
    return problem
