"""mien: one look at a face, two answers: who it is and what its expression is."""

from __future__ import annotations

__version__ = "0.1.0"
