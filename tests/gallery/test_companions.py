"""What other files keep of people goes with them, from plain Python."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from mien import Gallery
from mien.gallery.companions import forget, service_file
from mien.storage import connect, create_private

TABLES = ("visits",)


@pytest.fixture
def visits(path):
    """A companion of the gallery; gives its path."""
    file = path.with_name("visits.db")
    create_private(file)
    with closing(connect(file)) as db:
        db.execute("CREATE TABLE visits (note TEXT NOT NULL, person INTEGER NOT NULL)")
    return file


def note(file, person, text):
    with closing(connect(file)) as db:
        db.execute("INSERT INTO visits VALUES (?, ?)", (text, person))


def notes(file):
    with closing(connect(file)) as db:
        return [text for (text,) in db.execute("SELECT note FROM visits ORDER BY note")]


def traces(folder, text):
    return [file.name for file in folder.iterdir() if text.encode() in file.read_bytes()]


def test_a_removal_reaches_what_the_gallery_tells_of(gallery, path, visits):
    ada = gallery.enroll("Ada", [0, 0, 0], consent="yes").number
    bo = gallery.enroll("Bo", [1, 0, 0], consent="yes").number
    gallery.accompany(visits, TABLES)
    for person, text in ((ada, "Ada came"), (ada, "Ada left"), (bo, "Bo came"), (0, "somebody came")):
        note(visits, person, text)
    assert not gallery.remove("Ada").pending
    assert notes(visits) == ["Bo came", "somebody came"]
    assert traces(path.parent, "Ada") == []


def test_the_service_s_file_of_before_is_known_without_a_word(gallery, path):
    """It holds names; the gallery does not tell of it."""
    file = service_file(path)
    create_private(file)
    with closing(connect(file)) as db:
        for table in ("challenges", "attempts"):
            db.execute(f"CREATE TABLE {table} (person TEXT NOT NULL)")
            db.execute(f"INSERT INTO {table} VALUES ('Barack Obama'), ('Ada')")
    for name in ("Barack Obama", "Ada"):
        gallery.enroll(name, [0, 0, 0], consent="yes")
    assert not gallery.remove("Barack Obama").pending
    assert traces(path.parent, "Obama") == []
    with closing(connect(file)) as db:
        assert db.execute("SELECT person FROM attempts").fetchall() == [("Ada",)]


def test_what_a_companion_kept_stays_pending_while_it_is_in_use(gallery, path, visits):
    ada = gallery.enroll("Ada", [0, 0, 0], consent="yes").number
    gallery.accompany(visits, TABLES)
    note(visits, ada, "Ada came")
    with closing(sqlite3.connect(visits, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert gallery.remove("Ada").pending
        assert gallery.stats().pending
        assert traces(path.parent, "Ada")
    gallery.enroll("Bo", [0, 0, 0], consent="yes")
    assert gallery.finish_removals()
    assert not gallery.stats().pending
    assert traces(path.parent, "Ada") == []


def test_a_removal_that_was_interrupted_is_finished_when_the_gallery_is_next_opened(gallery, path, visits):
    ada = gallery.enroll("Ada", [0, 0, 0], consent="yes").number
    gallery.accompany(visits, TABLES)
    note(visits, ada, "Ada came")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gallery, "finish_removals", lambda self: False)
        gallery.remove("Ada")
    gallery.close()
    assert notes(visits)
    Gallery(path).close()
    assert traces(path.parent, "Ada") == []


def test_a_companion_that_is_gone_or_something_else_is_no_obstacle(gallery, path, visits):
    gallery.enroll("Ada", [0, 0, 0], consent="yes")
    gallery.accompany(visits, TABLES)
    visits.unlink()
    assert not gallery.remove("Ada").pending
    assert not visits.exists()
    gallery.enroll("Bo", [0, 0, 0], consent="yes")
    visits.write_bytes(b"no database at all" * 100)
    assert gallery.remove("Bo").pending  # it cannot be told what it holds
    visits.unlink()
    assert gallery.finish_removals()


def test_a_gallery_may_be_moved_with_its_companions(gallery, path, visits, tmp_path):
    ada = gallery.enroll("Ada", [0, 0, 0], consent="yes").number
    gallery.accompany(visits, TABLES)
    note(visits, ada, "Ada came")
    gallery.close()
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for file in (path, visits):
        file.rename(folder / file.name)
    with Gallery(folder / path.name) as moved:
        assert not moved.remove("Ada").pending
    assert traces(folder, "Ada") == []


def test_a_gallery_has_a_mark_of_its_own(gallery, visits, tmp_path, tiny_contract):
    mark = gallery.accompany(visits, TABLES)
    assert gallery.accompany(visits, ("visits", "more")) == mark
    with Gallery(tmp_path / "other.db", tiny_contract) as other:
        assert other.accompany(visits, TABLES) != mark


@pytest.mark.parametrize("seed", [1, 2])
def test_no_copy_of_a_row_is_left(visits, seed):
    """A deletion alone leaves some: SQLite moved rows to other pages, and `secure_delete` does not reach the gaps."""
    chance, there, gone = random.Random(seed), {}, []
    with closing(connect(visits)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("CREATE INDEX by_note ON visits (note)")
        for person in range(1, 1500):
            there[person] = f"note {chance.randbytes(chance.randint(6, 40)).hex()}"
            db.execute("INSERT INTO visits VALUES (?, ?)", (there[person], person))
            while len(there) > 150 or (there and chance.random() < 0.4):
                left = chance.choice(sorted(there))
                gone.append(there.pop(left))
                db.execute("DELETE FROM visits WHERE person = ?", (left,))
    assert forget(visits, TABLES, lambda told: [person for person in told if person not in there], 1.0)
    content = b"".join(file.read_bytes() for file in visits.parent.iterdir())
    assert len(gone) > 1000
    assert [text for text in gone if text.encode() in content] == []
    assert notes(visits) == sorted(there.values())
