"""The file beside a gallery for what is remembered between frames: running challenges and attempts.

`mien serve` keeps its keys in the same file. It holds personal data for a short time only: names in challenges,
people's numbers, and in a running challenge the embedding of the last face. What has ended goes with
`mien.authentication.challenge_store.ChallengeStore.sweep`, what is a removed person's with `mien.Gallery.remove`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Self

from mien.errors import ServiceError
from mien.gallery.companions import erase_copies
from mien.storage import Identity, connect, create_private, sentences, transaction

APPLICATION_ID = 0x6D696E73
"""Marks the file, in SQLite's header: "mins" in ASCII."""

FORMAT = 2
"""Version of the tables. Version 1 had people's names where numbers are now."""

PERSONAL = ("challenges", "attempts")
"""The tables that tell of people, as `mien.Gallery.accompany` wants them."""

_PAIRED = "gallery"

_TABLES = (
    # person: a number in the gallery, 0 for names that nobody has who could be authenticated.
    # subject: a keyed hash of the name that was claimed; client: who asked.
    "CREATE TABLE IF NOT EXISTS challenges (id TEXT PRIMARY KEY, person INTEGER NOT NULL, subject BLOB NOT NULL, "
    "client TEXT NOT NULL, state TEXT NOT NULL, ended REAL) STRICT",
    "CREATE TABLE IF NOT EXISTS attempts (subject BLOB NOT NULL, client TEXT NOT NULL, person INTEGER NOT NULL, "
    "record TEXT NOT NULL, changed REAL NOT NULL, PRIMARY KEY (subject, client)) STRICT",
    "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
)


class Store:
    """The file; may be shared by threads, and by processes of one machine.

    Args:
        path: created, readable by its owner alone, when it does not exist.

    Raises:
        ServiceError: it cannot be opened, or is something else.
        StorageError: it cannot be used; any call may raise it, `StorageReplacedError` when the file was removed or
            replaced meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            create_private(path)
        except OSError as error:
            raise ServiceError(f"{path} cannot be opened ({error.strerror}); check the folder's rights") from error
        self._lock = Lock()
        self._written = True
        with sentences(path, self._stranger()):
            self._db = connect(path)
            try:
                self._prepare()
                self._identity = Identity(path.absolute())
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
            StorageError: instead of SQLite's errors.
        """
        with self._using(), transaction(self._db, "DEFERRED"):
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Nobody else writes from here on; on the disk at the end of the block; errors as of `reading`."""
        with self._using():
            self._written = True
            with transaction(self._db, "IMMEDIATE"):
                yield self._db
            self._identity.check()  # nothing is acknowledged that went into a file without a name

    def erase_copies(self) -> None:
        """Leave nothing of deleted rows in the file nor, unless somebody reads just now, in its log; as `reading`."""
        with self._using():
            if self._written:
                self._written = not erase_copies(self._db, 0.0)

    def pair(self, mark: str) -> None:
        """Belong to a gallery from now on; what was kept of another gallery's people is forgotten, as numbers differ.

        Args:
            mark: the gallery's, see `mien.Gallery.accompany`.
        """
        with self.writing() as db:
            if self._note(db) != mark:
                for table in PERSONAL:
                    db.execute(f"DELETE FROM {table}")  # noqa: S608
                db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (_PAIRED, mark))

    @property
    def paired(self) -> bool:
        """Whether there is, or was, a gallery."""
        with self.reading() as db:
            return self._note(db) is not None

    @staticmethod
    def _note(db: sqlite3.Connection) -> str | None:
        row = db.execute("SELECT value FROM notes WHERE name = ?", (_PAIRED,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._lock, sentences(self.path, self._stranger()):
            self._identity.check()
            yield

    def _stranger(self) -> ServiceError:
        return ServiceError(f"{self.path} is no file of this service; move it away, or use another gallery path")

    def _prepare(self) -> None:
        with transaction(self._db, "IMMEDIATE"):
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables and (application != APPLICATION_ID or version not in (1, FORMAT)):
                raise self._stranger()
            if version == 1:  # its challenges have seconds to live, and its attempts minutes
                for table in PERSONAL:
                    self._db.execute(f"DROP TABLE {table}")
            for table in _TABLES:
                self._db.execute(table)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")
        if version == 1:
            erase_copies(self._db, 0.0)
