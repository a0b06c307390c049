from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from mien import GalleryError, StorageBusyError, StorageError, StorageReplacedError
from mien.storage import Identity, connect, create_private, is_busy, sentences, transaction


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "people #1?.db"
    create_private(file)
    return file


@pytest.fixture
def db(path):
    with closing(connect(path)) as opened:
        opened.execute("CREATE TABLE t (a)")
        yield opened


def asked(path):
    return sentences(path, GalleryError("it is something else"))


def test_a_file_that_is_missing_is_not_created(tmp_path):
    with pytest.raises(StorageError), asked(tmp_path / "gone.db"):
        connect(tmp_path / "gone.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_its_owners_alone(path):
    assert path.stat().st_mode & 0o777 == 0o600


def test_errors_are_told_apart_by_their_type(path, db, tmp_path):
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(GalleryError, match="something else"), asked(tmp_path / "text"):
        connect(tmp_path / "text")
    with closing(connect(path, busy_seconds=0.01)) as other, transaction(db, "IMMEDIATE"):
        with pytest.raises(StorageBusyError, match="locked by another process"), asked(path):
            other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
        assert is_busy(caught.value)
    for statement in ("SELECT nothing FROM t", "INSERT INTO gone VALUES (1)"):
        with pytest.raises(StorageError, match="cannot be used") as failed, asked(path):
            db.execute(statement)
        assert not isinstance(failed.value, StorageBusyError)
        assert not is_busy(failed.value.__cause__)
    db.close()
    with pytest.raises(StorageError, match="closed"), asked(path):
        db.execute("SELECT 1")


@pytest.mark.skipif(os.name == "nt", reason="open files can be neither removed nor replaced")
@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
@pytest.mark.parametrize("act", ["remove", "replace", "move"])
def test_a_file_that_is_removed_or_replaced_is_noticed(path, db, end, act):
    db.execute("INSERT INTO t VALUES (1)")
    identity = Identity(path)
    file, aside = path.with_name(path.name + end), path.with_name("aside")
    identity.check()
    if act == "replace":
        aside.write_bytes(file.read_bytes())
        aside.replace(file)
    else:
        file.rename(aside)
    with pytest.raises(StorageReplacedError, match="was removed or replaced while"):
        identity.check()
    if act == "move":
        aside.rename(file)
        identity.check()  # it is back
