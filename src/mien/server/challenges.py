"""Challenges in the service's file; a step is one transaction, so that no worker or restart can lose or repeat it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mien.authentication import Attempts, Observation, Outcome, Policy, State, advance, audit_of, begin, end
from mien.contract import Contract
from mien.errors import AuthenticationError, LockedError
from mien.server.problems import Code, ProblemError
from mien.server.store import Store

KEPT_SECONDS = 3600.0
"""How long an ended challenge can be asked for its result."""

ATTEMPTS_SECONDS = 86400.0
"""How long attempts without success are remembered after the last, at least; longer when they lock out for longer."""

_AUDIT = logging.getLogger("mien.audit")


@dataclass(frozen=True, slots=True)
class ChallengeStore:
    """Challenges and attempts. Their clock is the machine's: it goes on over a restart, and is one for all workers.

    Attributes:
        store: the file.
    """

    store: Store

    def begin(self, person: str, policy: Policy, contract: Contract, now: float) -> State:
        """Begin a challenge, and spend an attempt.

        Raises:
            ProblemError: the person is locked out.
            AuthenticationError: the model cannot answer what the policy asks.
        """
        with self.store.writing() as db:
            row = db.execute("SELECT record FROM attempts WHERE person = ?", (person,)).fetchone()
            attempts = Attempts() if row is None else Attempts.from_json(row[0])
            try:
                state, attempts = begin(person, policy, contract, now, attempts)
            except LockedError as error:
                wait = (attempts.locked_until or now) - now
                raise ProblemError(Code.PERSON_LOCKED, str(error), wait) from error
            db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)", (person, attempts.to_json(), now))
            db.execute(
                "INSERT INTO challenges VALUES (?, ?, ?, ?, NULL)",
                (state.challenge.id, person, state.to_json(), state.challenge.expires),
            )
        return state

    def get(self, challenge: str, now: float) -> State:
        """Where a challenge stands; one whose time is over is ended.

        Raises:
            ProblemError: there is no such challenge.
        """
        with self.store.reading() as db:
            state = _read(db, challenge)
        if state.outcome is not None or now <= state.challenge.expires:
            return state
        return self._change(challenge, lambda current: end(current, now))

    def see(self, challenge: str, seen: Observation) -> State:
        """Take a frame into account; errors as of `get`."""
        return self._change(challenge, lambda state: advance(state, seen))

    def abandon(self, person: str, now: float) -> None:
        """Forget a person: challenges, attempts, and what of them is in the write-ahead log."""
        with self.store.writing() as db:
            for state in _running(db, "person = ?", person):
                _log(end(state, now))
            db.execute("DELETE FROM challenges WHERE person = ?", (person,))
            db.execute("DELETE FROM attempts WHERE person = ?", (person,))
        self.store.truncate_log()

    def sweep(self, now: float, lockout: float = 0.0) -> None:
        """End challenges whose time is over, and remove what has been kept for long enough.

        Args:
            now: seconds of the challenges' clock.
            lockout: seconds that the policy locks out for: attempts are remembered for as long. Who is locked out stays
                so to the end, even if the policy has been changed meanwhile.
        """
        with self.store.writing() as db:
            for state in _running(db, "expires < ?", now):
                _write(db, end(state, now))
            db.execute("DELETE FROM challenges WHERE ended < ?", (now - KEPT_SECONDS,))
            old = (now - max(ATTEMPTS_SECONDS, lockout),)
            for person, text in db.execute("SELECT person, record FROM attempts WHERE changed < ?", old).fetchall():
                if not Attempts.from_json(text).locked(now):
                    db.execute("DELETE FROM attempts WHERE person = ?", (person,))
        self.store.truncate_log()

    def _change(self, challenge: str, step: Callable[[State], State]) -> State:
        with self.store.writing() as db:
            before = _read(db, challenge)
            after = step(before)
            if after != before:
                _write(db, after)
        return after


def _read(db: sqlite3.Connection, challenge: str) -> State:
    row = db.execute("SELECT state FROM challenges WHERE id = ?", (challenge,)).fetchone()
    if row is None:
        raise ProblemError(Code.CHALLENGE_NOT_FOUND, "there is no such challenge, or it ended long ago")
    return State.from_json(row[0])


def _running(db: sqlite3.Connection, condition: str, value: str | float) -> Sequence[State]:
    rows = db.execute(f"SELECT id, state FROM challenges WHERE ended IS NULL AND {condition}", (value,)).fetchall()  # noqa: S608
    states: list[State] = []
    for challenge, text in rows:
        try:
            states.append(State.from_json(text))
        except AuthenticationError:  # of another version: nobody can answer it any more, and it must not block others
            db.execute("DELETE FROM challenges WHERE id = ?", (challenge,))
    return states


def _write(db: sqlite3.Connection, state: State) -> None:
    """Store a state; its end is logged once, by whoever writes it."""
    db.execute(
        "UPDATE challenges SET state = ?, ended = ? WHERE id = ?",
        (state.to_json(), state.ended, state.challenge.id),
    )
    if state.outcome is Outcome.ACCEPTED:
        db.execute("DELETE FROM attempts WHERE person = ?", (state.challenge.person,))
    if state.outcome is not None:
        _log(state)


def _log(state: State) -> None:
    _AUDIT.info(audit_of(state).to_json())
