"""The attempts of a file: counted per name that is claimed and client that claims it, and per name over all clients.

Each client has the policy's attempts of its own, so that none can lock a person out everywhere. Over all clients a name
has `CLIENTS` times as many within a lock-out's time: guessing with many keys ends there, and one key never gets so far.
Functions run inside the caller's transaction.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from mien.authentication.attempts import Attempts
from mien.authentication.policy import Policy
from mien.errors import LockedError

CLIENTS = 5
"""How many clients may use up their attempts in one name before it is locked for all."""

ATTEMPTS_SECONDS = 86400.0
"""How long attempts without success are remembered after the last, at least; longer when they lock out for longer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is to be taken for whom.

    Attributes:
        subject: a keyed hash of the name: names that nobody has are counted too, and are not written down.
        client: who asks.
        person: the person's number, 0 for nobody's.
    """

    subject: bytes
    client: str
    person: int


def make_claim(db: sqlite3.Connection, name: str, client: str, person: int) -> Claim:
    """A claim under a name."""
    db.execute("INSERT OR IGNORE INTO notes VALUES ('secret', ?)", (secrets.token_hex(32),))
    (secret,) = db.execute("SELECT value FROM notes WHERE name = 'secret'").fetchone()
    subject = hashlib.blake2b(name.encode("utf-8", "replace"), key=bytes.fromhex(secret), digest_size=16).digest()
    return Claim(subject, client, person)


def read_attempts(db: sqlite3.Connection, claim: Claim) -> Attempts:
    """The attempts of a client in a name, unless they were somebody else's who had it before."""
    _forget_others(db, claim)
    row = db.execute(
        "SELECT record FROM attempts WHERE subject = ? AND client = ?", (claim.subject, claim.client)
    ).fetchone()
    return Attempts() if row is None else Attempts.from_json(row[0])


def write_attempts(db: sqlite3.Connection, claim: Claim, attempts: Attempts, now: float) -> None:
    """Store what `read_attempts` gives next."""
    db.execute(
        "INSERT INTO attempts VALUES (?, ?, ?, ?, ?) ON CONFLICT (subject, client) DO UPDATE SET "
        "person = max(person, excluded.person), record = excluded.record, changed = excluded.changed",
        (claim.subject, claim.client, claim.person, attempts.to_json(), now),
    )


def check_all_clients(db: sqlite3.Connection, claim: Claim, policy: Policy, now: float) -> None:
    """Refuse a name in which many clients made attempts lately.

    Raises:
        LockedError: there were too many.
    """
    _forget_others(db, claim)
    rows = db.execute(
        "SELECT changed, record FROM attempts WHERE subject = ? AND changed > ? AND changed <= ? ORDER BY changed DESC",
        (claim.subject, now - policy.lockout, now),
    ).fetchall()
    count = 0
    for changed, record in rows:
        count += Attempts.from_json(record).begun
        if count >= CLIENTS * policy.attempts:  # until the oldest of those that are too many counts no more
            raise LockedError("too many attempts without success; try again later", changed + policy.lockout - now)


def forget_attempts(db: sqlite3.Connection, challenge: str) -> None:
    """Forget a client's attempts after a success."""
    db.execute(
        "DELETE FROM attempts WHERE (subject, client) IN (SELECT subject, client FROM challenges WHERE id = ?)",
        (challenge,),
    )


def sweep_attempts(db: sqlite3.Connection, now: float, lockout: float) -> None:
    """Forget attempts that were long ago, or in the future, by a clock that was wrong."""
    kept = max(ATTEMPTS_SECONDS, lockout)
    rows = db.execute(
        "SELECT subject, client, record, changed FROM attempts WHERE changed < ? OR changed > ?",
        (now - kept, now + ATTEMPTS_SECONDS),
    ).fetchall()
    for subject, client, record, changed in rows:
        if changed > now or not Attempts.from_json(record).locked(now):
            db.execute("DELETE FROM attempts WHERE subject = ? AND client = ?", (subject, client))


def _forget_others(db: sqlite3.Connection, claim: Claim) -> None:
    """Attempts of somebody who had the name before, and whose removal is not finished, are nobody's."""
    if claim.person:
        db.execute("DELETE FROM attempts WHERE subject = ? AND person NOT IN (0, ?)", (claim.subject, claim.person))
