from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from services import ADA, CONSENT, enrol, problem

from mien import Gallery, StorageBusyError, StorageError
from mien.server.routes import people

PATH = "/v1/people/Barack%20Obama"


def test_from_enrolment_to_removal(client, photo, tmp_path):
    answer = enrol(client, photo("obama"), photo("obama2"))
    assert answer.status_code == 201
    assert [report["enrolled"] for report in answer.json()["photos"]] == [True, True]
    person = client.get(PATH).json()
    assert person == answer.json()["person"]
    assert (person["name"], person["consent"], person["samples"], person["expires"]) == (ADA, CONSENT, 2, None)
    assert client.get("/v1/people").json() == {"people": [person], "total": 1, "next": None}
    first, second = client.get(f"{PATH}/samples").json()["samples"]
    assert client.delete(f"{PATH}/samples/{second['number']}").json() == {"names": [], "samples": 1, "pending": False}
    assert [s["number"] for s in client.get(f"{PATH}/samples").json()["samples"]] == [first["number"]]
    again = client.post(f"{PATH}/samples", files={"photo": photo("obama2")})
    assert again.status_code == 201
    assert again.json()["person"]["samples"] == 2
    assert client.delete(PATH).json() == {"names": [ADA], "samples": 2, "pending": False}
    problem(client.get(PATH), 404, "person_not_found")
    assert client.get("/v1/people").json()["people"] == []
    for file in tmp_path.iterdir():
        assert ADA.encode() not in file.read_bytes(), file


def test_the_command_line_sees_the_same_gallery(enrolled, tmp_path):
    with Gallery(tmp_path / "people.db") as gallery:
        assert [person.name for person in gallery.people()] == [ADA]
        exported = next(gallery.export([ADA]))
    answer = enrolled.get(f"{PATH}/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    header, line = map(json.loads, answer.text.splitlines())
    assert header["format"] == "mien-gallery"
    assert line["samples"][0]["embedding"] == pytest.approx(exported.embeddings[0].tolist(), rel=1e-6)


def test_a_new_person_needs_consent(shared, photo):
    problem(enrol(shared, photo("obama"), consent=" "), 422, "request_invalid")
    assert shared.get("/v1/people").json()["total"] == 0


def test_a_name_is_taken_once(enrolled, photo):
    problem(enrol(enrolled, photo("biden")), 409, "person_exists")
    assert enrolled.get(PATH).json()["samples"] == 1


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen while photos are looked at."""
    plain = people.open_photo

    def let(act):
        def open_photo(*given):
            act()
            return plain(*given)

        monkeypatch.setattr(people, "open_photo", open_photo)

    return let


def test_two_people_do_not_become_one_under_a_name(client, photo, meanwhile):
    gallery = client.app.state.service.gallery
    meanwhile(lambda: gallery.enroll(ADA, [0.0] * 128, consent="somebody else's"))
    problem(enrol(client, photo("obama")), 409, "person_exists")
    assert (client.get(PATH).json()["samples"], client.get(PATH).json()["consent"]) == (1, "somebody else's")


def test_who_is_removed_meanwhile_is_not_enrolled_again(enrolled, photo, meanwhile):
    meanwhile(lambda: enrolled.app.state.service.gallery.remove(ADA))
    answer = enrolled.post(f"{PATH}/samples", files={"photo": photo("obama2")}, data={"consent": "of before"})
    problem(answer, 404, "person_not_found")
    assert enrolled.get("/v1/people").json()["people"] == []


def attempts(client):
    """How many people's attempts the service's file tells of."""
    with client.app.state.service.store.reading() as db:
        return db.execute("SELECT count(*) FROM attempts").fetchone()[0]


def test_a_removal_that_fails_halfway_is_finished_later(enrolled, photo, monkeypatch):
    challenge = enrolled.post("/v1/challenges", json={"person": ADA}).json()["id"]
    gallery = enrolled.app.state.service.gallery

    def fail(*_):
        raise StorageError("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(gallery, "finish_removals", fail)
        problem(enrolled.delete(PATH), 503, "storage_unavailable")
    frame = enrolled.post(f"/v1/challenges/{challenge}/frames", files={"photo": photo("obama")})
    problem(frame, 404, "challenge_not_found")
    problem(enrolled.delete(PATH), 404, "person_not_found")
    assert gallery.finish_removals()  # as the service does again and again
    problem(enrolled.get(f"/v1/challenges/{challenge}"), 404, "challenge_not_found")
    assert attempts(enrolled) == 0


def test_a_removal_while_the_services_file_is_in_use_is_pending(enrolled, tmp_path):
    enrolled.post("/v1/challenges", json={"person": ADA})
    with closing(sqlite3.connect(tmp_path / "people.service.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert enrolled.delete(PATH).json() == {"names": [ADA], "samples": 1, "pending": True}
    assert attempts(enrolled) == 1
    assert enrolled.app.state.service.gallery.finish_removals()
    assert attempts(enrolled) == 0


def test_who_takes_the_name_during_a_removal_inherits_no_challenge(enrolled, monkeypatch):
    challenge = enrolled.post("/v1/challenges", json={"person": ADA}).json()["id"]
    gallery = enrolled.app.state.service.gallery
    finish = gallery.finish_removals

    def wait():
        gallery.enroll(ADA, [0.0] * 128, consent="somebody else's")
        return finish()

    monkeypatch.setattr(gallery, "finish_removals", wait)
    assert enrolled.delete(PATH).json()["names"] == [ADA]
    assert enrolled.get(PATH).json()["consent"] == "somebody else's"
    problem(enrolled.get(f"/v1/challenges/{challenge}"), 404, "challenge_not_found")
    assert attempts(enrolled) == 0


def test_a_removal_that_does_nothing_forgets_no_attempt(enrolled, monkeypatch):
    enrolled.post("/v1/challenges", json={"person": ADA})

    def fail(*_):
        raise StorageBusyError("locked")

    monkeypatch.setattr(enrolled.app.state.service.gallery, "remove", fail)
    problem(enrolled.delete(PATH), 503, "storage_unavailable")
    assert attempts(enrolled) == 1


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\nb", "x" * 201, ".", ".."])
def test_a_name_must_fit_into_a_path(shared, photo, name):
    problem(enrol(shared, photo("obama"), name=name), 422, "request_invalid")


def test_what_is_wrong_with_each_photo_is_told(shared, photo):
    members = problem(enrol(shared, b"no photo", b""), 422, "no_photo_enrolled")
    assert [report["photo"] for report in members["photos"]] == [1, 2]
    assert all(report["problems"] for report in members["photos"])
    problem(shared.get(PATH), 404, "person_not_found")


def test_good_photos_are_taken_beside_bad_ones(client, photo):
    """The reports stay in the order of the photos."""
    answer = enrol(client, b"no photo", photo("obama"), photo("biden"), b"", photo("obama2")).json()
    assert [report["enrolled"] for report in answer["photos"]] == [False, True, False, False, True]
    assert "unlike" in answer["photos"][2]["problems"][0]
    assert answer["person"]["samples"] == 2


def test_a_flag_is_true_or_false(client, photo):
    problem(enrol(client, photo("obama"), overrule="TRUE"), 422, "request_invalid")


def test_overruled_checks(client, photo):
    answer = enrol(client, photo("obama"), photo("biden"), overrule="true").json()
    assert [report["enrolled"] for report in answer["photos"]] == [True, True]


def test_consent_ends(client, photo):
    end = datetime.now(UTC) + timedelta(days=1)
    person = enrol(client, photo("obama"), expires=end.isoformat()).json()["person"]
    assert datetime.fromisoformat(person["expires"]) == end.replace(microsecond=0)
    assert person["expired"] is False


def test_photos_are_added_after_the_end_of_a_consent_only_with_a_new_one(enrolled, photo):
    gallery = enrolled.app.state.service.gallery
    gallery.enroll(ADA, gallery.embeddings(ADA), expires=datetime(2026, 1, 1, tzinfo=UTC))
    end = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for fields, image in (({}, photo("obama2")), ({"expires": end}, photo("obama2")), ({}, b"no photo")):
        members = problem(enrolled.post(f"{PATH}/samples", files={"photo": image}, data=fields), 422, "request_invalid")
        assert "ended on 2026-01-01; tell what the person agrees to now" in members["detail"]
    assert enrolled.get(PATH).json()["samples"] == 2
    answer = enrolled.post(f"{PATH}/samples", files={"photo": photo("obama2")}, data={"consent": "renewed"})
    person = answer.json()["person"]
    assert (person["consent"], person["expires"], person["expired"]) == ("renewed", None, False)


@pytest.mark.parametrize("end", ["tomorrow", "2020-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_consent_cannot_end_in_the_past_or_never(shared, photo, end):
    problem(enrol(shared, photo("obama"), expires=end), 422, "request_invalid")


def test_nobody_is_found_by_wrong_names(enrolled):
    for path in ("/v1/people/nobody", "/v1/people/nobody/samples", "/v1/people/nobody/export"):
        problem(enrolled.get(path), 404, "person_not_found")
    problem(enrolled.delete("/v1/people/nobody"), 404, "person_not_found")
    problem(enrolled.delete(f"{PATH}/samples/99"), 404, "sample_not_found")
    problem(enrolled.get("/v1/people/%00"), 422, "request_invalid")


def test_pages_of_people(client, photo):
    names = ["a", "b", "c", "ä"]
    for name in names:
        assert enrol(client, photo("obama"), name=name).status_code == 201
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/people", params={"after": after, "limit": 2}).json()
        assert page["total"] == 4
        seen += [person["name"] for person in page["people"]]
        after = page["next"]
    assert seen == names


def test_calibration_is_kept_and_decides(enrolled, photo):
    files = [("photo", photo(name)) for name in ("obama", "obama2", "biden")]
    fields = {"identity": ["o", "o", "b"], "far": "0.1", "save": "true"}
    answer = enrolled.post("/v1/calibrate", files=files, data=fields).json()
    chosen = answer["verification"]["threshold"]
    assert answer["saved"] is True
    assert answer["warnings"]  # three photos are no calibration
    pair = {"a": photo("obama"), "b": photo("obama2")}
    assert enrolled.post("/v1/verify", files=pair).json()["threshold"] == chosen
    identified = enrolled.post("/v1/identify", files={"photo": photo("obama2")}).json()
    assert identified["threshold"] == answer["identification"]["threshold"]


@pytest.mark.parametrize(
    ("identities", "far", "code"),
    [
        (["o"], "0.1", "request_invalid"),
        (["o", "o", "b"], "0", "request_invalid"),
        (["o", "o", "b"], "nan", "request_invalid"),
        (["o", "o", "o"], "0.1", "calibration_impossible"),
        (["o", "a", "b"], "0.1", "calibration_impossible"),
    ],
)
def test_impossible_calibrations(shared, photo, identities, far, code):
    files = [("photo", photo(name)) for name in ("obama", "obama2", "biden")]
    problem(shared.post("/v1/calibrate", files=files, data={"identity": identities, "far": far}), 422, code)
