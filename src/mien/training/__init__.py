"""Training: recipes, the trainer, checkpoints and their export."""

from __future__ import annotations

from mien.training.calibration import (
    Calibration,
    CalibrationReport,
    LogitScaling,
    calibrate,
    can_calibrate,
    fit_scaling,
)
from mien.training.checkpoint import BEST, LAST, load_checkpoint
from mien.training.data import Source, load_sources
from mien.training.devices import Device, choose_device
from mien.training.export import choose_threshold, export, load_trained
from mien.training.recipe import Recipe, load_recipe, parse_recipe
from mien.training.trainer import Observer, Trainer

__all__ = [
    "BEST",
    "LAST",
    "Calibration",
    "CalibrationReport",
    "Device",
    "LogitScaling",
    "Observer",
    "Recipe",
    "Source",
    "Trainer",
    "calibrate",
    "can_calibrate",
    "choose_device",
    "choose_threshold",
    "export",
    "fit_scaling",
    "load_checkpoint",
    "load_recipe",
    "load_sources",
    "load_trained",
    "parse_recipe",
]
