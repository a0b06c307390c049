"""The paper's tables, and the same protocols on open data."""

from __future__ import annotations

from mien.reproduction.figures import Figure
from mien.reproduction.job import JobObserver, make_runs
from mien.reproduction.result import TableResult, evaluate_table
from mien.reproduction.setup import CUTS, Setup, make_setup
from mien.reproduction.table import ROWS, Kind, Row, Source, Table, find_rows
from mien.reproduction.tables import TABLES, find_table

__all__ = [
    "CUTS",
    "ROWS",
    "TABLES",
    "Figure",
    "JobObserver",
    "Kind",
    "Row",
    "Setup",
    "Source",
    "Table",
    "TableResult",
    "evaluate_table",
    "find_rows",
    "find_table",
    "make_runs",
    "make_setup",
]
