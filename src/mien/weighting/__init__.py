"""Task weighting: from the losses of several tasks to one training step; knows nothing of faces."""

from __future__ import annotations

from mien.errors import WeightingError
from mien.weighting.aggregation import GradientWeighting
from mien.weighting.autoscale import AutoScaleWeighting
from mien.weighting.building import build_weighting
from mien.weighting.constant_input import ConstantInputWeighting
from mien.weighting.contract import LossWeighting, ScalarWeighting, TaskWeighting
from mien.weighting.cov import CoVWeighting
from mien.weighting.custom import find_method
from mien.weighting.db_mtl import DBMTL
from mien.weighting.dwa import DynamicWeightAverage
from mien.weighting.dynamic import DynamicWeighting
from mien.weighting.entropy import EntropyWeighting
from mien.weighting.equal import EqualWeighting
from mien.weighting.famo import FAMO
from mien.weighting.features import Features, SharedFeatures
from mien.weighting.fixed import FixedWeighting
from mien.weighting.geometric_mean import GeometricMeanWeighting
from mien.weighting.gradients import PerGradientWeighting
from mien.weighting.gradnorm import GradNorm
from mien.weighting.imtl_l import IMTLLWeighting
from mien.weighting.logarithm import LogarithmWeighting
from mien.weighting.losses import TaskLosses
from mien.weighting.naive import NaiveWeighting
from mien.weighting.normalization import ChanceLevel, InitialValue, LossScale, RunningMean
from mien.weighting.normalized import NormalizedWeighting
from mien.weighting.optimization import GradientNorms, clip_gradients, parameter_groups
from mien.weighting.prioritization import DynamicTaskPrioritization
from mien.weighting.progress import ProgressWeighting
from mien.weighting.random_weighting import RandomWeighting
from mien.weighting.ranks import average_gradients
from mien.weighting.registry import METHODS, REGISTRY, Method
from mien.weighting.reminders import WeightingWarning
from mien.weighting.scalarization import ScalarizerWeighting
from mien.weighting.sign_switch import SignSwitchWeighting
from mien.weighting.uncertainty import UncertaintyWeighting
from mien.weighting.unit import FeatureShape, WeightUnit, weight_bounds
from mien.weighting.unit_weighting import UnitWeighting
from mien.weighting.uw_so import UWSOWeighting

__all__ = [
    "DBMTL",
    "FAMO",
    "METHODS",
    "REGISTRY",
    "AutoScaleWeighting",
    "ChanceLevel",
    "CoVWeighting",
    "ConstantInputWeighting",
    "DynamicTaskPrioritization",
    "DynamicWeightAverage",
    "DynamicWeighting",
    "EntropyWeighting",
    "EqualWeighting",
    "FeatureShape",
    "Features",
    "FixedWeighting",
    "GeometricMeanWeighting",
    "GradNorm",
    "GradientNorms",
    "GradientWeighting",
    "IMTLLWeighting",
    "InitialValue",
    "LogarithmWeighting",
    "LossScale",
    "LossWeighting",
    "Method",
    "NaiveWeighting",
    "NormalizedWeighting",
    "PerGradientWeighting",
    "ProgressWeighting",
    "RandomWeighting",
    "RunningMean",
    "ScalarWeighting",
    "ScalarizerWeighting",
    "SharedFeatures",
    "SignSwitchWeighting",
    "TaskLosses",
    "TaskWeighting",
    "UWSOWeighting",
    "UncertaintyWeighting",
    "UnitWeighting",
    "WeightUnit",
    "WeightingError",
    "WeightingWarning",
    "average_gradients",
    "build_weighting",
    "clip_gradients",
    "find_method",
    "parameter_groups",
    "weight_bounds",
]
