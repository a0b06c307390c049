"""Task weighting: from the losses of several tasks to one training step; knows nothing of faces."""

from __future__ import annotations

from mien.errors import WeightingError
from mien.weighting.contract import ScalarWeighting, TaskWeighting
from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.equal import EqualWeighting
from mien.weighting.fixed import FixedWeighting
from mien.weighting.naive import NaiveWeighting
from mien.weighting.normalization import ChanceLevel, InitialValue, LossScale, RunningMean
from mien.weighting.normalized import NormalizedWeighting
from mien.weighting.optimization import GradientNorms, clip_gradients, parameter_groups
from mien.weighting.ranks import average_gradients
from mien.weighting.registry import METHODS, Method, build_weighting
from mien.weighting.unit import FeatureShape, WeightUnit
from mien.weighting.unit_weighting import UnitWeighting

__all__ = [
    "METHODS",
    "ChanceLevel",
    "DynamicWeighting",
    "EqualWeighting",
    "FeatureShape",
    "FixedWeighting",
    "GradientNorms",
    "InitialValue",
    "LossScale",
    "Method",
    "NaiveWeighting",
    "NormalizedWeighting",
    "RunningMean",
    "ScalarWeighting",
    "TaskWeighting",
    "UnitWeighting",
    "WeightUnit",
    "WeightingError",
    "average_gradients",
    "build_weighting",
    "clip_gradients",
    "parameter_groups",
]
