"""The gallery's file: its tables, how it is opened, and whose it is.

Rows that hold personal data are **never deleted and never change their size**; a removed one is overwritten by blanks
where it stands (`mien.gallery.erasure`). A deletion lets SQLite move the neighbouring rows to other pages, and copies
of moved rows stay behind in the gaps of pages, where ``secure_delete`` does not reach them: of some thousand deleted
rows a few were found again in the file, in the table itself and in an index of names. Rows that are only appended and
overwritten in place are not moved. So there is no index of names either, but one of `bucket`, twelve bits that tell
nothing of a name and leave a few hundred names of a million to compare.
"""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import AbstractContextManager
from pathlib import Path

from mien.contract import Contract
from mien.errors import GalleryError
from mien.shipped import other_model
from mien.storage import create_private, open_existing, sentences, transaction

APPLICATION_ID = 0x6D69656E
"""Marks the file as a gallery, in SQLite's header: "mien" in ASCII."""

FORMAT = 1
"""Version of the tables, in SQLite's header."""

NEVER = "9999-12-31T23:59:59Z"
"""The end of a consent without an end; as long as any other time, so that a change keeps the row's size."""

BUCKETS = 4096

NO_BUCKET = 2 * BUCKETS
"""Of a person who was removed; takes as many bytes as any bucket."""

_TABLES = (
    "CREATE TABLE gallery (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), contract TEXT NOT NULL, "
    "calibration TEXT, erased INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE people (number INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, name TEXT NOT NULL, "
    "enrolled TEXT NOT NULL, expires TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE consents (number INTEGER PRIMARY KEY, person INTEGER NOT NULL, text TEXT NOT NULL) STRICT",
    "CREATE TABLE samples (number INTEGER PRIMARY KEY, person INTEGER NOT NULL, embedding BLOB NOT NULL, "
    "added TEXT NOT NULL, source TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE removals (number INTEGER PRIMARY KEY, sample INTEGER NOT NULL) STRICT",
    "CREATE INDEX people_by_bucket ON people (bucket)",
    "CREATE INDEX people_by_end ON people (expires)",
    "CREATE INDEX consents_of ON consents (person)",
    "CREATE INDEX samples_of ON samples (person, removed)",
)


def open_gallery(path: Path, contract: Contract | None) -> Contract:
    """Make sure that a file is a gallery of the right model; it is created when there is none and a contract is given.

    Args:
        path: the file.
        contract: the model's; None takes whatever model the gallery is of.

    Returns:
        The contract that the gallery was created with, or the one given.

    Raises:
        GalleryError: there is no such file and no contract, the file is no gallery, or one of another model.
    """
    _prepare_file(path, contract)
    with gallery_sentences(path):
        db = open_existing(path)
        try:
            if contract is not None and _is_empty(db):
                _create_tables(db, contract)
            pinned = _checked(db, path, contract)
            _restrict(path)
            return pinned
        finally:
            db.close()


def bucket(name: str) -> int:
    """The bucket of a name, from `BUCKETS` on: every one takes two bytes.

    >>> bucket("Ada Lovelace")
    7415
    """
    return BUCKETS + zlib.crc32(name.encode()) % BUCKETS


def gallery_sentences(path: Path) -> AbstractContextManager[None]:
    """As `mien.storage.sentences`, for a gallery's file."""
    return sentences(path, GalleryError(f"{path} is not a gallery of mien; give another path"))


def _prepare_file(path: Path, contract: Contract | None) -> None:
    """Create the file where there is none and a contract is given."""
    if path.exists() and not path.is_file():
        raise GalleryError(f"{path} is not a regular file; give the path of a gallery")
    if contract is None:
        if not path.exists():
            raise GalleryError(f"gallery {path} does not exist; check the path, or enrol somebody to create it")
        return
    contract.require_identity()
    try:
        create_private(path)
    except OSError as error:
        raise GalleryError(f"{path} cannot be opened ({error.strerror}); check the path and its permissions") from error


def _restrict(path: Path) -> None:
    """Take the rights of group and others away, from a copy say; SQLite gives the files beside it the same rights."""
    for own in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        try:
            if own.stat().st_mode & 0o077:
                own.chmod(0o600)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise GalleryError(f"{own} can be read by others ({error.strerror}); take their rights away") from error


def _is_empty(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0])


def _create_tables(db: sqlite3.Connection, contract: Contract) -> None:
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    with transaction(db, "IMMEDIATE"):
        if not _is_empty(db):
            return  # another process was faster
        for table in _TABLES:
            db.execute(table)
        db.execute("INSERT INTO gallery (only_one, contract) VALUES (1, ?)", (contract.to_json(),))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORMAT}")


def _checked(db: sqlite3.Connection, path: Path, contract: Contract | None) -> Contract:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise GalleryError(f"{path} is not a gallery of mien; give another path")
    if version != FORMAT:
        raise GalleryError(f"{path} is a gallery of format {version}, this mien reads {FORMAT}; use the mien it is of")
    pinned = Contract.from_json(db.execute("SELECT contract FROM gallery").fetchone()[0])
    if contract is None:
        return pinned
    check_model(path, pinned, contract)
    return contract


def check_model(path: Path, pinned: Contract, given: Contract) -> None:
    """Refuse another model than the one that a gallery is pinned to.

    Raises:
        GalleryError: the models differ; the sentence tells the way out.
    """
    if (given.model_id, given.embedding_size) != (pinned.model_id, pinned.embedding_size):
        raise GalleryError(other_model(str(path), pinned.model_id, given.model_id))
