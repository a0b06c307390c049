"""The error of this package."""

from __future__ import annotations

from mien.errors import MienError


class WeightingError(MienError):
    """Task losses, features or settings are not what a weighting method needs."""
