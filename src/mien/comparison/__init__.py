"""Comparing weighting methods: equal budgets, tuned learning rates, seeds, intervals."""

from __future__ import annotations

from mien.comparison.analysis import Estimate, MethodSummary, conclude, summarize
from mien.comparison.comparison import Comparison, Observer, compare
from mien.comparison.experiment import Experiment, Part
from mien.comparison.records import SINGLE, Curves, Epoch, Plan, Run
from mien.comparison.registry import EXPERIMENTS, load_experiment
from mien.comparison.training import train

__all__ = [
    "EXPERIMENTS",
    "SINGLE",
    "Comparison",
    "Curves",
    "Epoch",
    "Estimate",
    "Experiment",
    "MethodSummary",
    "Observer",
    "Part",
    "Plan",
    "Run",
    "compare",
    "conclude",
    "load_experiment",
    "summarize",
    "train",
]
