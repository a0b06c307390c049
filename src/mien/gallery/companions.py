"""Other files that keep something about the gallery's people, told by the gallery itself: a removal reaches them too.

A companion is an SQLite file. Each of its tables that the gallery names has a column ``person`` with the number of
somebody in the gallery; 0 stands for nobody. Rows of people who are no longer enrolled are deleted. Unlike the gallery,
a companion is small and short-lived, so that it may be rewritten as a whole to leave no copy of a row behind.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mien.storage import RETRY_SECONDS, connect, transaction, truncate_log

TABLES_OF_BEFORE = ("challenges", "attempts")
"""Tables of the service's file where the gallery does not tell of it yet; they held names instead of numbers."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS companions (file TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (file, name)) STRICT",
    "CREATE TABLE IF NOT EXISTS mark (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), id TEXT NOT NULL) STRICT",
)

Keys = Iterable[int | str]
"""Numbers of people; names in files of before."""


def service_file(gallery: Path) -> Path:
    """The file of `mien serve` beside a gallery: keys, challenges and attempts.

    >>> service_file(Path("people.db")).name, service_file(Path("people")).name
    ('people.service.db', 'people.service')
    """
    return (
        gallery.with_suffix(".service.db") if gallery.suffix == ".db" else gallery.with_name(f"{gallery.name}.service")
    )


def record_companion(db: sqlite3.Connection, gallery: Path, file: Path, tables: Sequence[str]) -> str:
    """Note that a file keeps something about people; inside the caller's transaction.

    Returns:
        The gallery's mark: random text that no other gallery has.
    """
    for table in _TABLES:
        db.execute(table)
    place = os.path.relpath(file.resolve(), gallery.resolve().parent)
    db.executemany("INSERT OR IGNORE INTO companions VALUES (?, ?)", [(place, table) for table in tables])
    db.execute("INSERT OR IGNORE INTO mark VALUES (1, ?)", (secrets.token_hex(16),))
    return str(db.execute("SELECT id FROM mark").fetchone()[0])


def companions(db: sqlite3.Connection, gallery: Path) -> dict[Path, set[str]]:
    """The files that keep something about people, and their tables."""
    found = {service_file(gallery).resolve(): set(TABLES_OF_BEFORE)}
    if has_table(db, "companions"):
        for file, table in db.execute("SELECT file, name FROM companions"):
            found.setdefault((gallery.resolve().parent / file).resolve(), set()).add(table)
    return {file: tables for file, tables in found.items() if file.exists()}


def forget(file: Path, tables: Iterable[str], gone: Callable[[Keys], list[int | str]], seconds: float) -> bool:
    """Delete the rows of people who are gone from a companion, and every copy of them.

    Args:
        file: the companion.
        tables: those that tell of people.
        gone: tells which of some numbers (or names) are nobody's any more.
        seconds: how long to go on trying while another process uses the file.

    Returns:
        Whether nothing is left.

    Raises:
        sqlite3.Error: the file cannot be used.
    """
    db = connect(file, busy_seconds=max(seconds, RETRY_SECONDS))
    try:
        present = [table for table in tables if has_table(db, table)]
        if not present:
            return True
        with transaction(db, "IMMEDIATE"):
            for table in present:
                told = [person for (person,) in db.execute(f"SELECT DISTINCT person FROM {_quoted(table)}")]  # noqa: S608
                left = [(person,) for person in gone(told)]
                db.executemany(f"DELETE FROM {_quoted(table)} WHERE person = ?", left)  # noqa: S608
        return erase_copies(db, seconds)
    finally:
        db.close()


def erase_copies(db: sqlite3.Connection, seconds: float) -> bool:
    """Write a small file anew, without what deleted rows left between others, and cut its log.

    Returns:
        Whether the log could be cut.
    """
    db.execute("VACUUM")
    return truncate_log(db, seconds)


def has_table(db: sqlite3.Connection, table: str) -> bool:
    """Whether a file has a table."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)).fetchone() is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
