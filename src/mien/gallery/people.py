"""The statements about people and their samples; each function runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from mien.errors import GalleryError, PersonNotFoundError
from mien.gallery.database import NEVER, bucket
from mien.gallery.names import normalized_name, storable
from mien.gallery.records import Person, Sample

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

STORED = np.dtype("<f4")
"""How an embedding's numbers are stored, whatever the machine's byte order."""

_PEOPLE = (
    "SELECT p.number, p.name, p.enrolled, p.expires, "
    "(SELECT text FROM consents WHERE person = p.number ORDER BY number DESC LIMIT 1), "
    "(SELECT count(*) FROM samples WHERE person = p.number AND removed = 0) "
    "FROM people p WHERE p.removed = 0"
)


def add_person(db: sqlite3.Connection, name: str, enrolled: datetime) -> int:
    """Enrol a person without samples and without an end of consent; the name must be free."""
    values = (bucket(name), name, to_text(enrolled), NEVER)
    return _inserted(db.execute("INSERT INTO people (bucket, name, enrolled, expires) VALUES (?, ?, ?, ?)", values))


def add_consent(db: sqlite3.Connection, person: int, consent: str) -> None:
    """Record what a person agreed to; earlier records stay until the person is removed."""
    db.execute("INSERT INTO consents (person, text) VALUES (?, ?)", (person, storable(consent)))


def set_end(db: sqlite3.Connection, person: int, expires: datetime | None) -> None:
    """Set when a person's consent ends; None: never."""
    end = NEVER if expires is None else to_text(expires)
    db.execute("UPDATE people SET expires = ? WHERE number = ?", (end, person))


def add_samples(
    db: sqlite3.Connection, person: int, embeddings: Floats, sources: Sequence[str], added: Sequence[datetime]
) -> None:
    """Add samples ``(N, D)`` to a person; N sources and times."""
    rows = zip(embeddings.astype(STORED), sources, added, strict=True)
    db.executemany(
        "INSERT INTO samples (person, embedding, added, source) VALUES (?, ?, ?, ?)",
        ((person, vector.tobytes(), to_text(time), storable(source)) for vector, source, time in rows),
    )


def all_names(db: sqlite3.Connection) -> set[str]:
    """The names of everybody."""
    return {name for (name,) in db.execute("SELECT name FROM people WHERE removed = 0")}


def all_people(db: sqlite3.Connection) -> Iterator[Person]:
    """Everybody, by name."""
    for row in db.execute(f"{_PEOPLE} ORDER BY p.name"):
        yield _person(row)


def find_person(db: sqlite3.Connection, name: str) -> Person | None:
    """The person of a name, or None."""
    forms = [name.strip(), normalized_name(name)]  # galleries of before hold names that are not composed
    for form in dict.fromkeys(map(storable, forms)):
        row = db.execute(f"{_PEOPLE} AND p.bucket = ? AND p.name = ?", (bucket(form), form)).fetchone()
        if row is not None:
            return _person(row)
    return None


def person_of(db: sqlite3.Connection, number: int) -> Person:
    """The person of a number, who must be enrolled."""
    return _person(db.execute(f"{_PEOPLE} AND p.number = ?", (number,)).fetchone())


def get_person(db: sqlite3.Connection, name: str) -> Person:
    """The person of a name.

    Raises:
        PersonNotFoundError: nobody of that name is enrolled.
    """
    person = find_person(db, name)
    if person is None:
        raise PersonNotFoundError(f"nobody called {storable(name)!r} is enrolled; `mien gallery list` tells who is")
    return person


def count_all(db: sqlite3.Connection) -> tuple[int, int, int]:
    """How many people, how many samples, and how many samples that were removed."""
    enrolled, samples, removed = db.execute(
        "SELECT (SELECT count(*) FROM people WHERE removed = 0), (SELECT count(*) FROM samples WHERE removed = 0), "
        "(SELECT count(*) FROM removals WHERE sample > 0)"
    ).fetchone()
    return enrolled, samples, removed


def name_of(db: sqlite3.Connection, person: int) -> str | None:
    """The name of a numbered person, or None when the person was removed."""
    row = db.execute("SELECT name FROM people WHERE number = ? AND removed = 0", (person,)).fetchone()
    return None if row is None else str(row[0])


def is_enrolled(db: sqlite3.Connection, key: int | str) -> bool:
    """Whether a number, or a name, is somebody's."""
    return find_person(db, key) is not None if isinstance(key, str) else name_of(db, key) is not None


def expired_people(db: sqlite3.Connection, now: datetime) -> Integers:
    """Numbers of the people whose consent has ended, ``(E,)``."""
    rows = db.execute("SELECT number FROM people WHERE expires <= ? AND removed = 0", (to_text(now),))
    return np.array([number for (number,) in rows], np.int64)


def consents_of(db: sqlite3.Connection, person: int) -> list[str]:
    """All that a person agreed to, the latest last."""
    return [text for (text,) in db.execute("SELECT text FROM consents WHERE person = ? ORDER BY number", (person,))]


def samples_of(db: sqlite3.Connection, person: int) -> list[Sample]:
    """A person's samples by number."""
    rows = db.execute(
        "SELECT number, added, source FROM samples WHERE person = ? AND removed = 0 ORDER BY number", (person,)
    )
    return [Sample(number, to_time(added), source) for number, added, source in rows]


def check_sample(db: sqlite3.Connection, name: str, number: int) -> None:
    """Refuse a sample that is not the person's.

    Raises:
        GalleryError: the person has no such sample.
        PersonNotFoundError: nobody of that name is enrolled.
    """
    own = [sample.number for sample in samples_of(db, get_person(db, name).number)]
    if number not in own:
        have = ", ".join(map(str, own)) or "none"
        raise GalleryError(f"{name} has no sample {number}; the person's samples are: {have}")


def embeddings_of(db: sqlite3.Connection, person: int, size: int) -> Floats:
    """A person's embeddings ``(N, size)``, in the order of `samples_of`."""
    rows = db.execute("SELECT embedding FROM samples WHERE person = ? AND removed = 0 ORDER BY number", (person,))
    return decode(b"".join(blob for (blob,) in rows), size)


def decode(stored: bytes, size: int) -> Floats:
    """Stored embeddings, one after the other, as ``(N, size)``; not writable."""
    return np.frombuffer(stored, STORED).astype(np.float32, copy=False).reshape(-1, size)


def to_text(time: datetime) -> str:
    """A time with a zone as text of a fixed length, in UTC, to the second.

    >>> to_text(datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-02T00:00:00Z'
    """
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"  # strftime pads no early year


def to_time(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)


def _person(row: tuple[int, str, str, str, str, int]) -> Person:
    number, name, enrolled, expires, consent, samples = row
    return Person(number, name, consent, to_time(enrolled), None if expires == NEVER else to_time(expires), samples)


def _inserted(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise AssertionError("an INSERT has a row number")
    return cursor.lastrowid
