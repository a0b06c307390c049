"""SQLite files that hold personal data: private, never created by accident, and noticed when they are replaced."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mien.errors import MienError, StorageBusyError, StorageError, StorageReplacedError

BUSY_SECONDS = 30.0
"""How long a write waits for another process's write."""

RETRY_SECONDS = 0.05
"""Time between two tries to truncate the log; a try itself blocks writers for no longer than that."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_BESIDE = ("", "-wal", "-shm")
"""What SQLite appends to the path of a database for the files that it keeps beside it."""


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a connection that may be used by any one thread at a time; without transactions of its own making.

    Every commit is on the disk when it returns (``synchronous=FULL``). Nothing is spilled to temporary files.

    Raises:
        sqlite3.Error: there is no such file (it is not created), or it cannot be used.
    """
    db = open_existing(path, busy_seconds=busy_seconds)
    try:
        for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {setting}").fetchall()
    except sqlite3.Error:
        db.close()
        raise
    return db


def open_existing(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """As `connect`, with SQLite's own settings, so that nothing is written to a file that is something else."""
    # SQLite creates a missing file unless told otherwise, and a removed gallery would come back empty.
    place = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(place, uri=True, isolation_level=None, timeout=busy_seconds, check_same_thread=False)


def create_private(path: Path) -> None:
    """Create an empty file that its owner alone can read, where there is none.

    A file that is there is not even opened: when a process closes any handle of a database, POSIX drops all the locks
    that it holds on it, those too of a connection that is in use, and another process may then remove its log.

    Raises:
        OSError: it cannot be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


@contextmanager
def transaction(db: sqlite3.Connection, kind: str) -> Iterator[None]:
    """Commit at the end of the block, or roll back when it raises.

    Args:
        db: the connection.
        kind: ``IMMEDIATE`` to write, ``DEFERRED`` to read one state of the file.
    """
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def sentences(path: Path, stranger: MienError) -> Iterator[None]:
    """Turn the errors of SQLite into one sentence.

    Args:
        path: the file.
        stranger: what to raise when the file is no database at all.

    Raises:
        StorageError: instead of SQLite's other errors.
    """
    try:
        yield
    except sqlite3.Error as error:
        if is_busy(error):
            message = f"{path} has been locked by another process for {BUSY_SECONDS:g} s; try again"
            raise StorageBusyError(message) from error
        if _primary(error) == sqlite3.SQLITE_NOTADB:
            raise stranger from error
        message = f"{path} cannot be used ({error}); check the path, its permissions and the disk"
        raise StorageError(message) from error


def is_busy(error: sqlite3.Error) -> bool:
    """Whether an error says that another connection is in the way."""
    return _primary(error) in _BUSY


class Identity:
    """The files that a path led to when they were opened; made while a connection is open.

    While it is, SQLite itself removes none of them. Whoever else does takes away what is written from then on.

    Args:
        path: of the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = [path.absolute().with_name(path.name + end) for end in _BESIDE]
        self._known = [_inode(file) for file in self._files]

    def check(self) -> None:
        """Refuse to go on where the path leads elsewhere.

        Raises:
            StorageReplacedError: a file was removed or replaced.
        """
        for file, known in zip(self._files, self._known, strict=True):
            if known is not None and _inode(file) != known:
                raise StorageReplacedError(
                    f"{file} was removed or replaced while {self._path} was open; put it back, or open it anew"
                )


def truncate_log(db: sqlite3.Connection, seconds: float) -> bool:
    """Copy the write-ahead log into the database and cut it to nothing, trying again while a reader blocks it.

    Args:
        db: a connection with a short time to wait for others.
        seconds: how long to go on trying; tried once at least.

    Returns:
        Whether the log was truncated.
    """
    end = time.monotonic() + seconds
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() >= end:
            return False
        time.sleep(RETRY_SECONDS)
    return True


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for errors of Python's own, as of a connection that was closed."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
