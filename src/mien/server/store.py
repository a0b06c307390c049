"""The service's own file beside the gallery: keys, running challenges and attempts; shared by all workers.

It holds personal data for a short time only: names in challenges and attempts, and in a running challenge the
embedding of the last face. What has ended goes with `mien.server.challenges.ChallengeStore.sweep`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Self

from mien.errors import ServiceError
from mien.gallery.database import connect, create_private, transaction

APPLICATION_ID = 0x6D696E73
"""Marks the file, in SQLite's header: "mins" in ASCII."""

FORMAT = 1

_TABLES = (
    "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL, "
    "created TEXT NOT NULL) STRICT",
    # A row once a key was revoked: without keys the service is shut from then on, not open as before the first.
    "CREATE TABLE IF NOT EXISTS shut (only_one INTEGER PRIMARY KEY CHECK (only_one = 1)) STRICT",
    "CREATE TABLE IF NOT EXISTS challenges (id TEXT PRIMARY KEY, person TEXT NOT NULL, state TEXT NOT NULL, "
    "expires REAL NOT NULL, ended REAL) STRICT",
    "CREATE TABLE IF NOT EXISTS attempts (person TEXT PRIMARY KEY, record TEXT NOT NULL, changed REAL NOT NULL) STRICT",
)


class Store:
    """The file; may be shared by threads, and by processes of one machine.

    Args:
        path: created, readable by its owner alone, when it does not exist.

    Raises:
        ServiceError: it cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            create_private(path)
        except OSError as error:
            raise ServiceError(f"{path} cannot be opened ({error.strerror}); check the folder's rights") from error
        self._lock = Lock()
        with _sentences(path):
            self._db = connect(path)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file.

        Raises:
            ServiceError: instead of SQLite's errors.
        """
        with self._lock, _sentences(self.path), transaction(self._db, "DEFERRED"):
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Nobody else writes from here on; on the disk at the end of the block; errors as of `reading`."""
        with self._lock, _sentences(self.path), transaction(self._db, "IMMEDIATE"):
            yield self._db

    def truncate_log(self) -> None:
        """Cut the write-ahead log, which holds what was removed from the tables, if nobody reads just now."""
        with self._lock, _sentences(self.path):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prepare(self) -> None:
        with transaction(self._db, "IMMEDIATE"):
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables and (application, version) != (APPLICATION_ID, FORMAT):
                raise ServiceError(f"{self.path} is no file of this service; move it away, or use another gallery path")
            for table in _TABLES:
                self._db.execute(table)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise ServiceError(f"{path} cannot be used ({error}); check the file, its rights and the disk") from error
