"""Challenges and attempts in a file, without a service."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_frames import NAMES, frames

from mien import Gallery
from mien.authentication import Attempts, ChallengeStore, Policy, Store, begin, observe
from mien.authentication.challenge_store import KEPT_SECONDS
from mien.authentication.claims import ATTEMPTS_SECONDS, CLIENTS
from mien.authentication.policy import MAX_LOCKOUT
from mien.errors import ChallengeNotFoundError, LockedError
from mien.types import Box, ExpressionScores, Face

N, H, _ = NAMES
DAY = 86400.0
DOOR = "a door's key"


@pytest.fixture
def policy(contract):
    return Policy.recommended(contract)


@pytest.fixture
def gallery(tmp_path, contract):
    with Gallery(tmp_path / "people.db", contract) as people:
        people.enroll("Ada", [0, 0], consent="yes")
        yield people


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "people.service.db") as opened:
        yield opened


@pytest.fixture
def challenges(store, gallery):
    return ChallengeStore(store, gallery)


def locked(challenges, policy, now, client=DOOR, name="Ada"):
    """How long somebody is locked out; None: not at all, and an attempt was spent."""
    try:
        challenges.begin(name, client, policy, now)
    except LockedError as error:
        return error.seconds
    return None


def rows(store, table):
    with store.reading() as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_challenge_is_answered_step_by_step(challenges, policy):
    policy = replace(policy, expressions=(H,), count=1)
    state = challenges.begin("Ada", DOOR, policy, 100.0)
    assert challenges.get(state.challenge.id, 100.0) == state
    assert challenges.references(state.challenge.id).tolist() == [[0, 0]]
    shown = [N] * policy.hold + [H] * policy.hold
    states = [challenges.see(state.challenge.id, seen) for seen in frames(*shown, start=100.0)]
    assert [after.outcome for after in states] == [None] * (len(shown) - 1) + ["accepted"]
    assert challenges.see(state.challenge.id, frames(H, start=101.0)[0]) == states[-1]


def test_begin_counts_as_the_library_does(challenges, store, policy, contract):
    attempts = Attempts()
    for now in (1.0, 2.0, 3.0):
        challenges.begin("Ada", DOOR, policy, now)
        _, attempts = begin("Ada", policy, contract, now, attempts)
        with store.reading() as db:
            assert Attempts.from_json(db.execute("SELECT record FROM attempts").fetchone()[0]) == attempts
    assert locked(challenges, policy, 4.0) == policy.lockout - 1


def test_one_client_does_not_lock_out_another(challenges, policy):
    """Who wants to keep somebody out with one key keeps that key out."""
    for round_ in range(20):
        now = round_ * (policy.lockout + 10)
        assert [locked(challenges, policy, now + k, "evil") for k in range(policy.attempts)] == [None] * policy.attempts
        assert locked(challenges, policy, now + 5, "evil")
    assert locked(challenges, policy, now + 6) is None


def test_many_clients_have_an_end_together(challenges, policy):
    for k in range(CLIENTS):
        for _ in range(policy.attempts):
            challenges.begin("Ada", f"key {k}", policy, float(k))
    assert locked(challenges, policy, 10.0, "another") == pytest.approx(policy.lockout - 10)
    assert locked(challenges, policy, policy.lockout + 0.5, "another") is None


@settings(max_examples=20)  # each attempt waits for the disk
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 7)), max_size=60))
def test_no_clients_get_more_attempts_than_are_allowed(tmp_path_factory, contract, tries):
    """Within a lock-out's time: of one client, and of all."""
    policy = Policy(threshold=0.5, attempts=2, lockout=300)
    folder, now, begun = tmp_path_factory.mktemp("attempts"), 0.0, []
    with Gallery(folder / "people.db", contract) as people, Store(folder / "people.service.db") as store:
        challenges = ChallengeStore(store, people)
        for gap, client in tries:
            now += gap
            if locked(challenges, policy, now, str(client)) is None:
                begun.append((now, client))
    for client in {client for _, client in begun}:
        own = [time for time, who in begun if who == client]
        assert all(later - first >= policy.lockout for first, later in zip(own, own[2:], strict=False))
    # Of all: with one that takes the last of them, nobody else can have begun more than that client's own.
    most = CLIENTS * policy.attempts + policy.attempts
    times = [time for time, _ in begun]
    assert all(later - first >= policy.lockout for first, later in zip(times, times[most:], strict=False))


def test_success_forgets_the_attempts_of_the_client_alone(challenges, store, policy):
    policy = replace(policy, neutral_first=False, expressions=(H,), count=1)
    challenges.begin("Ada", "evil", policy, 1.0)
    state = challenges.begin("Ada", DOOR, policy, 1.0)
    for seen in frames(*[H] * policy.hold, start=1.0):
        state = challenges.see(state.challenge.id, seen)
    assert state.outcome == "accepted"
    with store.reading() as db:
        assert db.execute("SELECT client FROM attempts").fetchall() == [("evil",)]


def face(contract, embedding):
    scores = ExpressionScores(contract.expressions, (0.0, 1.0, 0.0))
    return Face(Box(0, 0, 9, 9), 1.0, None, True, embedding, scores)


def test_names_of_nobody_are_answered_like_names_of_people(challenges, gallery, policy, contract):
    """The same answers, the same lock-out; only that nobody is ever accepted."""
    gallery.enroll("Expired", [0, 0], consent="yes", expires=datetime(2020, 1, 1, tzinfo=UTC))
    gallery.enroll("Bare", [0, 0], consent="yes")
    gallery.remove_sample("Bare", gallery.samples("Bare")[0].number)
    policy = replace(policy, expressions=(H,), count=1, neutral_first=False)
    now, told = 1.8e9, {}
    for name in ("Ada", "Nobody", "Expired", "Bare", "\u202e", "a/b"):
        states = [challenges.begin(name, DOOR, policy, now) for _ in range(policy.attempts)]
        state = states[0]
        for k in range(1, 5):
            references = challenges.references(state.challenge.id)
            seen = observe(now + k / 10, [face(contract, np.zeros(2, np.float32))], references)
            state = challenges.see(state.challenge.id, seen)
        assert (state.outcome == "accepted") == (name == "Ada")
        told[name] = (
            [(first.challenge.person == name, first.challenge.prompts, first.challenge.expires) for first in states],
            locked(challenges, policy, now + 1, name=name),
        )
    assert told["Ada"][1] == policy.lockout - 1 or told["Ada"][1] is None  # a success unlocks
    del told["Ada"]
    assert all(answer == told["Nobody"] for answer in told.values())


def test_names_that_nobody_has_are_not_written_down(challenges, store, policy, tmp_path):
    challenges.begin("Grace Hopper", DOOR, policy, 1.0)
    challenges.sweep(KEPT_SECONDS + 100)
    assert rows(store, "attempts") == 1
    challenges.sweep(2 * KEPT_SECONDS + 200)
    assert rows(store, "attempts") == 1  # counted on
    assert not [file for file in tmp_path.glob("people.service*") if b"Grace" in file.read_bytes()]


def test_who_is_enrolled_after_a_try_is_still_locked_out(challenges, gallery, policy):
    """Or the end of the lock would tell."""
    for _ in range(policy.attempts):
        challenges.begin("Bo", DOOR, policy, 1.0)
    gallery.enroll("Bo", [0, 0], consent="yes")
    assert locked(challenges, policy, 2.0, name="Bo")
    gallery.remove("Bo")
    assert locked(challenges, policy, 3.0, name="Bo")


def test_a_removed_person_has_neither_challenges_nor_attempts(challenges, gallery, store, policy, tmp_path):
    state = challenges.begin("Ada", DOOR, policy, 1.0)
    other = challenges.begin("Nobody", DOOR, policy, 1.0)
    assert not gallery.remove("Ada").pending
    for call in (challenges.references, lambda it: challenges.get(it, 2.0)):
        with pytest.raises(ChallengeNotFoundError):
            call(state.challenge.id)
    assert challenges.get(other.challenge.id, 2.0) == other
    assert (rows(store, "challenges"), rows(store, "attempts")) == (1, 1)
    assert not [file.name for file in tmp_path.iterdir() if b"Ada" in file.read_bytes()]


def test_who_takes_a_name_inherits_nothing(challenges, gallery, store, policy):
    """Even where the removal could not reach the file: numbers are compared, not names."""
    state = challenges.begin("Ada", DOOR, policy, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gallery, "finish_removals", lambda self: False)
        gallery.remove("Ada")
    gallery.enroll("Ada", [1, 1], consent="another person's")
    with pytest.raises(ChallengeNotFoundError):
        challenges.references(state.challenge.id)
    for _ in range(policy.attempts):
        assert locked(challenges, policy, 2.0) is None


def test_what_has_ended_goes(challenges, policy, tmp_path):
    state = challenges.begin("Ada", DOOR, policy, 1000.0)
    challenges.sweep(1000.0 + policy.time_limit + 1)
    assert challenges.get(state.challenge.id, 1100.0).outcome == "expired"
    challenges.sweep(1000.0 + ATTEMPTS_SECONDS + 1)
    with pytest.raises(ChallengeNotFoundError):
        challenges.get(state.challenge.id, 1100.0)
    assert not [file.name for file in tmp_path.glob("people.service*") if b"Ada" in file.read_bytes()]


def test_a_lock_out_of_days_lasts(challenges, policy):
    policy = replace(policy, attempts=1, lockout=7 * DAY)
    assert locked(challenges, policy, 0.0) is None
    challenges.sweep(6 * DAY)
    assert locked(challenges, policy, 6 * DAY) == DAY
    challenges.sweep(7 * DAY)
    assert locked(challenges, policy, 7 * DAY) is None


@pytest.mark.parametrize("ahead", [10.0, 3 * DAY, MAX_LOCKOUT + 10, 3650 * DAY])
def test_a_clock_that_was_ahead_for_a_moment_locks_nobody_out_for_long(challenges, store, policy, ahead):
    now = 1e9
    for _ in range(policy.attempts):
        challenges.begin("Ada", DOOR, policy, now + ahead)
    state = challenges.begin("Ada", "another", policy, now + ahead)
    assert locked(challenges, policy, now) is None  # once; and the next attempt locks, by the right clock
    assert locked(challenges, policy, now + 1) == policy.lockout - 1
    challenges.sweep(now + 2)
    if ahead > policy.time_limit + 10:
        assert challenges.get(state.challenge.id, now + 2).outcome is not None
    challenges.sweep(now + 2 * KEPT_SECONDS)
    challenges.sweep(now + 4 * KEPT_SECONDS)
    assert rows(store, "challenges") == 0
    challenges.sweep(now + ATTEMPTS_SECONDS + 3)
    challenges.sweep(now + 2 * ATTEMPTS_SECONDS + ahead % ATTEMPTS_SECONDS)
    assert rows(store, "attempts") == 0


def test_the_end_is_audited_once_without_images(challenges, policy, caplog):
    with caplog.at_level("INFO", "mien.audit"):
        state = challenges.begin("Ada", DOOR, policy, 1000.0)
        for _ in range(3):
            challenges.get(state.challenge.id, 2000.0)
            challenges.sweep(2000.0)
    (record,) = [json.loads(entry.message) for entry in caplog.records if entry.name == "mien.audit"]
    assert (record["person"], record["outcome"]) == ("Ada", "expired")
    assert "embedding" not in record


def test_a_challenge_of_another_version_is_no_obstacle(challenges, store, policy):
    challenges.begin("Ada", DOOR, policy, 1.0)
    with store.writing() as db:
        db.execute("UPDATE challenges SET state = ?", ('{"version": 0}',))
    challenges.sweep(1e6)
    assert rows(store, "challenges") == 0


def test_no_embedding_is_left_in_the_file(challenges, store, policy, tmp_path):
    texts = []
    for round_ in range(2):
        now = 1e4 * round_
        begun = [challenges.begin(f"somebody {k}", f"{round_} {k}", policy, now).challenge.id for k in range(40)]
        for k, challenge in enumerate(begun):
            distinct = (float(f"0.1{round_}{k:03}7351"), float(f"0.2{round_}{k:03}9462"))
            texts += [json.dumps(value).encode() for value in distinct]
            seen = frames(N, start=now + 1)[0]
            seen = replace(seen, faces=(replace(seen.faces[0], embedding=distinct),))
            challenges.see(challenge, seen)
        assert any(texts[-1] in file.read_bytes() for file in tmp_path.glob("people.service*"))  # or it could not fail
        challenges.sweep(now + policy.time_limit + 1)
    content = {file.name: file.read_bytes() for file in tmp_path.glob("people.service*")}
    assert [(name, text) for name, data in content.items() for text in texts if text in data] == []


def test_a_file_of_before_keeps_its_keys_and_forgets_the_names(tmp_path, contract):
    path = tmp_path / "people.service.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE keys (id TEXT PRIMARY KEY, name TEXT) STRICT")
        db.execute("INSERT INTO keys VALUES ('1', 'a door')")
        db.execute("CREATE TABLE challenges (id TEXT PRIMARY KEY, person TEXT NOT NULL, state TEXT NOT NULL) STRICT")
        db.execute("CREATE TABLE attempts (person TEXT PRIMARY KEY, record TEXT NOT NULL, changed REAL) STRICT")
        db.execute("INSERT INTO attempts VALUES ('Ada Lovelace', '{}', 1.0)")
        db.execute(f"PRAGMA application_id = {0x6D696E73}")
        db.execute("PRAGMA user_version = 1")
    with Store(path) as store, Gallery(tmp_path / "people.db", contract) as gallery:
        ChallengeStore(store, gallery).begin("Ada", DOOR, Policy.recommended(contract), 1.0)
        with store.reading() as db:
            assert db.execute("SELECT name FROM keys").fetchall() == [("a door",)]
        assert not [file.name for file in tmp_path.glob("people.service*") if b"Lovelace" in file.read_bytes()]


def test_another_gallerys_people_are_others(challenges, store, policy, tmp_path, contract):
    challenges.begin("Ada", DOOR, policy, 1.0)
    ChallengeStore(store, challenges._gallery)  # the same
    assert rows(store, "challenges") == 1
    with Gallery(tmp_path / "other.db", contract) as other:
        ChallengeStore(store, other)
    assert (rows(store, "challenges"), rows(store, "attempts")) == (0, 0)


def test_ids_differ(challenges, policy):
    ids = [challenges.begin("Ada", str(k), policy, 1e6 * k).challenge.id for k in range(5)]
    assert all(a != b for a, b in pairwise(sorted(ids)))
