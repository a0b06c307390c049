from __future__ import annotations

import random
import sqlite3

import numpy as np
import pytest

from mien import Gallery
from mien.gallery.erasure import blank_person, finish_removals
from mien.gallery.people import get_person


def files_of(path):
    return [file for file in sorted(path.parent.glob(f"{path.name}*")) if file.is_file()]


def traces(path, pieces):
    """Which of the byte strings occur in the database, its log or its shared memory."""
    content = {file.name: file.read_bytes() for file in files_of(path)}
    return [(name, piece) for name, data in content.items() for piece in pieces if piece in data]


def pieces_of(name, consent, source, vectors):
    """What tells of a person: the words, and 16 bytes from the middle of each embedding."""
    return [name.encode(), consent.encode(), source.encode(), *(vector.tobytes()[64:80] for vector in vectors)]


def test_nothing_of_a_removed_person_is_in_any_file(path, wide_contract, vectors):
    data = vectors(3, 128)
    pieces = pieces_of("Ada Lovelace", "signed on paper", "portrait-17.jpg", data)
    with Gallery(path, wide_contract) as gallery:
        gallery.enroll("Ada Lovelace", data, consent="signed on paper", sources=["portrait-17.jpg"] * 3)
        assert {piece for _, piece in traces(path, pieces)} == set(pieces)  # or the test could not fail
        gallery.remove_sample("Ada Lovelace", 1)
        assert traces(path, [data[0].tobytes()[64:80]]) == []
        assert not gallery.remove("Ada Lovelace").pending
        assert [file.name for file in files_of(path)] == ["people.db", "people.db-shm", "people.db-wal"]
        assert traces(path, pieces) == []
    assert traces(path, pieces) == []


def test_nothing_is_left_after_any_number_of_removals(path, wide_contract, vectors):
    """Deleting rows fails this: copies of rows that SQLite moved stay in the gaps between rows."""
    chance = random.Random(5)
    data = vectors(500, 128)
    there, gone = {}, []
    with Gallery(path, wide_contract) as gallery:
        gallery._writer.execute("PRAGMA synchronous=OFF")
        for vector in data:
            name = f"somebody {chance.randbytes(chance.randint(6, 40)).hex()}"
            gallery.enroll(name, vector, consent=f"consent {name}", sources=[f"{name}.jpg"])
            there[name] = vector
            while len(there) > 150 or (there and chance.random() < 0.4):
                name = chance.choice(sorted(there))
                gone += pieces_of(name, f"consent {name}", f"{name}.jpg", [there.pop(name)])
                with gallery._writing() as db:
                    blank_person(db, get_person(db, name).number)
        assert gallery.finish_removals()
        assert len(gone) > 800
        assert traces(path, gone) == []
        assert {person.name for person in gallery.people()} == set(there)


def test_pending_is_said_while_a_reader_holds_the_log(path, wide_contract, vectors):
    data = vectors(2, 128)
    pieces = pieces_of("Ada Lovelace", "signed on paper", "portrait-17.jpg", data)
    with Gallery(path, wide_contract) as gallery:
        gallery.enroll("Ada Lovelace", data, consent="signed on paper", sources=["portrait-17.jpg"] * 2)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM people").fetchone() == (1,)
        assert gallery.remove("Ada Lovelace").pending  # after ERASURE_SECONDS
        assert gallery.people() == []
        assert gallery.identify(data[0]).matches == ()
        assert gallery.stats().pending
        assert traces(path, pieces)
        gallery.enroll("Bo", data[0] + 1, consent="yes")  # goes on meanwhile
        reader.execute("COMMIT")
        reader.close()
        assert gallery.finish_removals()
        assert not gallery.stats().pending
        assert traces(path, pieces) == []


def test_what_was_pending_is_finished_when_the_gallery_is_next_opened(path, wide_contract, vectors):
    """As after a crash between the removal and the truncation."""
    (vector,) = vectors(1, 128)
    pieces = pieces_of("Ada Lovelace", "signed on paper", "portrait-17.jpg", [vector])
    other = Gallery(path, wide_contract)
    other.enroll("Ada Lovelace", vector, consent="signed on paper", sources=["portrait-17.jpg"])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM people").fetchone()
    assert not finish_removals(path, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gallery, "finish_removals", lambda self: False)
        assert other.remove("Ada Lovelace").pending
    reader.execute("COMMIT")
    reader.close()
    assert traces(path, pieces)
    with Gallery(path) as again:
        assert traces(path, pieces) == []
        assert not again.stats().pending
    other.close()


def test_rows_are_overwritten_in_place(path, wide_contract, vectors):
    """The file does not grow by a removal, and the neighbours keep their bytes."""
    data = vectors(50, 128)
    with Gallery(path, wide_contract) as gallery:
        for number, vector in enumerate(data):
            gallery.enroll(f"person {number}", vector, consent="yes")
        gallery.finish_removals()
        before = np.frombuffer(path.read_bytes(), np.uint8)
        gallery.remove("person 25")
        after = np.frombuffer(path.read_bytes(), np.uint8)
        assert len(before) == len(after)
        assert (before != after).sum() < 1000
        np.testing.assert_array_equal(gallery.embeddings("person 24"), data[24:25])
