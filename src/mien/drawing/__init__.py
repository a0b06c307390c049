"""Pictures of results: boxes and labels on photos, expressions over time, a calibration's distances and rates."""

from __future__ import annotations

from mien.drawing.calibration import calibration_svg
from mien.drawing.photos import COLOURS, annotate, annotate_file, output_names
from mien.drawing.timeline import Band, timeline_svg

__all__ = ["COLOURS", "Band", "annotate", "annotate_file", "calibration_svg", "output_names", "timeline_svg"]
