"""Work on many photos at once, in processes that can be ended."""

from __future__ import annotations

from mien.pipeline.workers import Workers

__all__ = ["Workers"]
