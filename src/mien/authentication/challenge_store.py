"""Challenges and attempts in a file; a step is one transaction, so that no process or restart can lose or repeat it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from mien.authentication.attempts import begin
from mien.authentication.audit import audit_of
from mien.authentication.claims import (
    check_all_clients,
    forget_attempts,
    make_claim,
    read_attempts,
    sweep_attempts,
    write_attempts,
)
from mien.authentication.machine import advance, end
from mien.authentication.observation import Observation
from mien.authentication.policy import Policy
from mien.authentication.state import Outcome, State
from mien.authentication.store import PERSONAL, Store
from mien.errors import AuthenticationError, ChallengeNotFoundError, PersonNotFoundError
from mien.gallery import NOBODY, Gallery, normalized_name

KEPT_SECONDS = 3600.0
"""How long an ended challenge can be asked for its result."""

FAR_AWAY = 1e18
"""Each number of the embedding that stands for nobody's: no face is near it, and no distance overflows."""

_AUDIT = logging.getLogger("mien.audit")


class ChallengeStore:
    """Challenges and attempts. Their clock is the machine's: it goes on over a restart, and is one for all processes.

    Nothing here tells a client whether somebody is enrolled: a challenge in the name of nobody begins, is counted and
    is locked out like any other, and is never accepted.

    Args:
        store: the file.
        gallery: the people; it is told of the file, so that `mien.Gallery.remove` reaches it.
    """

    def __init__(self, store: Store, gallery: Gallery) -> None:
        self._store, self._gallery = store, gallery
        store.pair(gallery.accompany(store.path, PERSONAL))

    def begin(self, name: str, client: str, policy: Policy, now: float | None = None) -> State:
        """Begin a challenge, and spend an attempt.

        Args:
            name: whom the client claims to be.
            client: who asks; attempts of different clients are counted apart.
            policy: the rules.
            now: seconds of the machine's clock, for tests.

        Raises:
            LockedError: there were too many attempts.
            AuthenticationError: the model cannot answer what the policy asks.
        """
        now = time.time() if now is None else now
        name = normalized_name(name)
        person = self._number(name, now)
        with self._store.writing() as db:
            claim = make_claim(db, name, client, person)
            check_all_clients(db, claim, policy, now)
            state, attempts = begin(name, policy, self._gallery.contract, now, read_attempts(db, claim))
            write_attempts(db, claim, attempts, now)
            row = (state.challenge.id, person, claim.subject, client, state.to_json())
            db.execute("INSERT INTO challenges VALUES (?, ?, ?, ?, ?, NULL)", row)
        return state

    def get(self, challenge: str, now: float) -> State:
        """Where a challenge stands; one whose time is over is ended.

        Raises:
            ChallengeNotFoundError: there is no such challenge.
        """
        with self._store.reading() as db:
            _, state = _read(db, challenge)
        if state.outcome is not None or not _over(state, now):
            return state
        return self._change(challenge, lambda current: end(current, now))

    def references(self, challenge: str) -> NDArray[np.float32]:
        """The embeddings ``(K, D)`` of the person claimed, to compare frames with; errors as of `get`."""
        with self._store.reading() as db:
            person, state = _read(db, challenge)
        try:
            found = self._gallery.embeddings(state.challenge.person, expected=person)
        except PersonNotFoundError as error:
            if person != NOBODY:
                raise ChallengeNotFoundError("the person of the challenge was removed") from error
            found = np.empty((0, self._gallery.contract.embedding_size), np.float32)
        return found if len(found) else np.full((1, found.shape[1]), FAR_AWAY, np.float32)

    def see(self, challenge: str, seen: Observation) -> State:
        """Take a frame into account; errors as of `get`."""
        return self._change(challenge, lambda state: advance(state, seen))

    def sweep(self, now: float, lockout: float = 0.0) -> None:
        """End challenges whose time is over, and remove what has been kept for long enough.

        Args:
            now: seconds of the challenges' clock.
            lockout: seconds that the policy locks out for: attempts are remembered for as long. Who is locked out stays
                so to the end, even if the policy has been changed meanwhile.
        """
        with self._store.writing() as db:
            for state in _running(db):
                if _over(state, now):
                    _write(db, end(state, now))
            db.execute("DELETE FROM challenges WHERE abs(? - ended) > ?", (now, KEPT_SECONDS))
            sweep_attempts(db, now, lockout)
        self._store.erase_copies()

    def _number(self, name: str, now: float) -> int:
        """The number of the person, if there is one who can be authenticated."""
        try:
            person = self._gallery.person(name)
        except PersonNotFoundError:
            return NOBODY
        return person.number if person.samples and not person.expired(datetime.fromtimestamp(now, UTC)) else NOBODY

    def _change(self, challenge: str, step: Callable[[State], State]) -> State:
        with self._store.writing() as db:
            _, before = _read(db, challenge)
            after = step(before)
            if after != before:
                _write(db, after)
        return after


def _over(state: State, now: float) -> bool:
    """Whether the time is over; also of a challenge that a clock issued in the future."""
    challenge = state.challenge
    return not challenge.issued - state.policy.time_limit <= now <= challenge.expires


def _read(db: sqlite3.Connection, challenge: str) -> tuple[int, State]:
    """The number of the person claimed, and the state."""
    row = db.execute("SELECT person, state FROM challenges WHERE id = ?", (challenge,)).fetchone()
    if row is None:
        raise ChallengeNotFoundError("there is no such challenge, or it ended long ago")
    return row[0], State.from_json(row[1])


def _running(db: sqlite3.Connection) -> Iterator[State]:
    for challenge, text in db.execute("SELECT id, state FROM challenges WHERE ended IS NULL").fetchall():
        try:
            yield State.from_json(text)
        except AuthenticationError:  # of another version: nobody can answer it any more, and it must not block others
            db.execute("DELETE FROM challenges WHERE id = ?", (challenge,))


def _write(db: sqlite3.Connection, state: State) -> None:
    """Store a state; its end is logged once, by whoever writes it."""
    challenge = state.challenge.id
    db.execute("UPDATE challenges SET state = ?, ended = ? WHERE id = ?", (state.to_json(), state.ended, challenge))
    if state.outcome is Outcome.ACCEPTED:
        forget_attempts(db, challenge)
    if state.outcome is not None:
        _AUDIT.info(audit_of(state).to_json())
