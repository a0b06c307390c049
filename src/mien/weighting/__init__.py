"""Task weighting: from the losses of several tasks to one training step; knows nothing of faces."""

from __future__ import annotations

from mien.weighting.contract import ScalarWeighting, TaskWeighting
from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.errors import WeightingError
from mien.weighting.ranks import average_gradients
from mien.weighting.unit import FeatureShape, WeightUnit
from mien.weighting.unit_weighting import UnitWeighting

__all__ = [
    "DynamicWeighting",
    "FeatureShape",
    "ScalarWeighting",
    "TaskWeighting",
    "UnitWeighting",
    "WeightUnit",
    "WeightingError",
    "average_gradients",
]
