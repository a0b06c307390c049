"""The experiments that come with mien."""

from __future__ import annotations
