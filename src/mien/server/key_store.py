"""Keys in the service's file."""

from __future__ import annotations

from datetime import UTC, datetime

from mien.authentication import Store
from mien.errors import ServiceError
from mien.server.keys import Key, Role, matches, new_key, split

_TABLES = (
    "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL, "
    "created TEXT NOT NULL) STRICT",
    # A row once a key was revoked: without keys the service is shut from then on, not open as before the first.
    "CREATE TABLE IF NOT EXISTS shut (only_one INTEGER PRIMARY KEY CHECK (only_one = 1)) STRICT",
)


class KeyStore:
    """The keys that are valid; a key that is revoked is gone at once, in all workers.

    Args:
        store: the file.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.writing() as db:
            for table in _TABLES:
                db.execute(table)

    def add(self, name: str, role: Role) -> str:
        """Make a key; gives its text, which is stored nowhere.

        Raises:
            ServiceError: the name is empty or not printable.
        """
        if not name.strip() or not name.isprintable():
            raise ServiceError(f"the key's name {name!r} is empty or not printable; say whom it is for")
        text, key_id, digest = new_key()
        created = datetime.now(UTC).isoformat(timespec="seconds")
        with self._store.writing() as db:
            db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", (key_id, name.strip(), role, digest, created))
        return text

    def list(self) -> list[Key]:
        """All keys, oldest first."""
        with self._store.reading() as db:
            rows = db.execute("SELECT id, name, role, created FROM keys ORDER BY created, id").fetchall()
        return [_key(*row) for row in rows]

    def revoke(self, key_id: str) -> bool:
        """Remove a key; gives whether there is another. Without any the service lets nobody in, see `needed`.

        Raises:
            ServiceError: there is no such key.
        """
        with self._store.writing() as db:
            if not db.execute("DELETE FROM keys WHERE id = ?", (key_id,)).rowcount:
                raise ServiceError(f"there is no key {key_id}; `mien serve keys list` tells the ids")
            db.execute("INSERT OR IGNORE INTO shut VALUES (1)")
            return db.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def any(self) -> bool:
        """Whether there is a key."""
        with self._store.reading() as db:
            return db.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def needed(self) -> bool:
        """Whether a key was ever made: from then on nobody calls without one, even when all are revoked."""
        with self._store.reading() as db:
            (needed,) = db.execute("SELECT EXISTS (SELECT 1 FROM keys) OR EXISTS (SELECT 1 FROM shut)").fetchone()
        return bool(needed)

    def find(self, text: str) -> Key | None:
        """The key of a text, or None."""
        parts = split(text)
        if parts is None:
            return None
        key_id, secret = parts
        with self._store.reading() as db:
            row = db.execute("SELECT id, name, role, created, hash FROM keys WHERE id = ?", (key_id,)).fetchone()
        return _key(*row[:4]) if matches(secret, None if row is None else row[4]) else None


def _key(key_id: str, name: str, role: str, created: str) -> Key:
    return Key(key_id, name, Role(role), datetime.fromisoformat(created))
