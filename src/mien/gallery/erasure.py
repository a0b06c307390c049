"""Removal that leaves nothing behind: blanks in place, nothing in companions, then an empty write-ahead log.

A commit only appends to the write-ahead log: the old bytes stay in the database file until the log is copied over
them, and in the log until it is truncated. `finish_removals` does both, as soon as no other connection reads an older
state, after it has cleaned the files that `mien.gallery.companions` tells of. All of it may be repeated, so that a
removal that was interrupted is finished later. The file system and the disk may keep blocks of their own beyond that;
encrypt the disk where this matters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from mien.gallery import people
from mien.gallery.companions import Keys, companions, forget
from mien.gallery.database import NEVER, NO_BUCKET
from mien.storage import RETRY_SECONDS, connect, is_busy, truncate_log


def blank_samples(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Overwrite samples by rows of the same size, and note that they are gone."""
    for number in numbers:
        db.execute(
            "UPDATE samples SET embedding = zeroblob(length(embedding)), source = ?, removed = 1 WHERE number = ?",
            (_blanks(db, "SELECT source FROM samples WHERE number = ?", number), number),
        )
        db.execute("INSERT INTO removals (sample) VALUES (?)", (number,))


def blank_person(db: sqlite3.Connection, person: int) -> int:
    """Overwrite a person, all consents and samples; gives the number of samples."""
    samples = [n for (n,) in db.execute("SELECT number FROM samples WHERE person = ? AND removed = 0", (person,))]
    blank_samples(db, samples)
    for (number,) in db.execute("SELECT number FROM consents WHERE person = ?", (person,)).fetchall():
        text = _blanks(db, "SELECT text FROM consents WHERE number = ?", number)
        db.execute("UPDATE consents SET text = ? WHERE number = ?", (text, number))
    name = _blanks(db, "SELECT name FROM people WHERE number = ?", person)
    db.execute(
        "UPDATE people SET bucket = ?, name = ?, expires = ?, removed = 1 WHERE number = ?",
        (NO_BUCKET, name, NEVER, person),
    )
    # A person without samples leaves no other trace by which `is_pending` could know.
    db.execute("INSERT INTO removals (sample) VALUES (0)")
    return len(samples)


def is_pending(db: sqlite3.Connection) -> bool:
    """Whether something was removed since the log was last truncated."""
    return bool(db.execute("SELECT ifnull(max(number), 0) > (SELECT erased FROM gallery) FROM removals").fetchone()[0])


def finish_removals(path: Path, seconds: float) -> bool:
    """Let nothing of removed people be left: in the gallery's companions, and in its write-ahead log.

    Args:
        path: the gallery's file.
        seconds: how long to go on trying while another process uses a file; tried once at least.

    Returns:
        Whether nothing is left.

    Raises:
        sqlite3.Error: the gallery cannot be used.
    """
    db = connect(path, busy_seconds=RETRY_SECONDS)  # its own, so that no other call waits as briefly
    try:
        (last,) = db.execute("SELECT ifnull(max(number), 0) FROM removals").fetchone()
        left = companions(db, path).items() if is_pending(db) else ()
        forgotten = [_forgotten(db, file, tables, seconds) for file, tables in left]
        if not truncate_log(db, seconds) or not all(forgotten):
            return False
        _note_erased(db, last)
    finally:
        db.close()
    return True


def _forgotten(db: sqlite3.Connection, file: Path, tables: set[str], seconds: float) -> bool:
    """As `forget`; a companion that cannot be used keeps the removal pending, and does not undo it."""

    def gone(keys: Keys) -> list[int | str]:
        return [key for key in keys if key != 0 and not people.is_enrolled(db, key)]

    try:
        return forget(file, tables, gone, seconds)
    except sqlite3.Error:
        return False


def _note_erased(db: sqlite3.Connection, last: int) -> None:
    """Remember up to which removal nothing is left; when another process writes just now, a later call will."""
    try:
        db.execute("UPDATE gallery SET erased = ? WHERE erased < ?", (last, last))
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise


def _blanks(db: sqlite3.Connection, statement: str, number: int) -> str:
    """Spaces, as many as the text that a statement gives has bytes."""
    (text,) = db.execute(statement, (number,)).fetchone()
    return " " * len(str(text).encode())
