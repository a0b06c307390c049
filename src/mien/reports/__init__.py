"""Results as files that people and programs read."""

from __future__ import annotations

from mien.reports.comparison_page import write_comparison
from mien.reports.reproduction_page import write_table
from mien.reports.results_page import write_results_page

__all__ = ["write_comparison", "write_results_page", "write_table"]
