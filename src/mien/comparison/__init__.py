"""Comparing weighting methods: equal budgets, tuned learning rates, seeds, intervals."""

from __future__ import annotations

from mien.comparison.analysis import MethodSummary, summarize
from mien.comparison.comparison import Comparison, Observer, compare
from mien.comparison.conclusion import conclude, tell_contrasts, warnings_of
from mien.comparison.contrasts import Contrast, contrast_all
from mien.comparison.estimates import Estimate
from mien.comparison.experiment import Experiment, Figure, Part
from mien.comparison.records import SINGLE, Curves, Epoch, Plan, Run
from mien.comparison.registry import EXPERIMENTS, load_experiment
from mien.comparison.search import Candidate, Choice
from mien.comparison.training import train

__all__ = [
    "EXPERIMENTS",
    "SINGLE",
    "Candidate",
    "Choice",
    "Comparison",
    "Contrast",
    "Curves",
    "Epoch",
    "Estimate",
    "Experiment",
    "Figure",
    "MethodSummary",
    "Observer",
    "Part",
    "Plan",
    "Run",
    "compare",
    "conclude",
    "contrast_all",
    "load_experiment",
    "summarize",
    "tell_contrasts",
    "train",
    "warnings_of",
]
