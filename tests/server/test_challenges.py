from __future__ import annotations

import io
import json
import time

import pytest
from PIL import Image
from services import ADA, EASY, enrol, problem
from starlette.websockets import WebSocketDisconnect

from mien.server import Role, upkeep

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def easy(started, photo):
    with started(policy=EASY) as client:
        assert enrol(client, photo("obama")).status_code == 201
        yield client


def create(client, person=ADA):
    answer = client.post("/v1/challenges", json={"person": person})
    assert answer.status_code == 201, answer.text
    return answer.json()


def connect(client, path):
    return client.websocket_connect(f"ws://localhost{path}")


def push(client, challenge, frame):
    return client.post(f"/v1/challenges/{challenge}/frames", content=frame, headers=JPEG)


def test_the_right_person_with_the_expression_is_accepted_once(easy, photo):
    challenge = create(easy)
    assert (challenge["status"], challenge["prompt"], challenge["steps"]) == ("running", "happiness", 1)
    answers = [push(easy, challenge["id"], photo("obama")).json() for _ in range(4)]
    assert [answer["status"] for answer in answers] == ["running", "running", "accepted", "accepted"]
    assert [round(answer["progress"], 2) for answer in answers[:2]] == [0.33, 0.67]
    result = easy.get(f"/v1/challenges/{challenge['id']}").json()
    assert (result["status"], result["person"], result["reason"]) == ("accepted", ADA, None)
    assert result["ended"] > result["issued"]


def test_another_person_is_not_accepted(easy, photo):
    challenge = create(easy)["id"]
    for _ in range(4):
        answer = push(easy, challenge, photo("biden")).json()
        assert (answer["status"], answer["progress"]) == ("running", 0)


def test_the_answer_tells_no_figures(easy, photo):
    answer = push(easy, create(easy)["id"], photo("biden"))
    assert not {"distance", "threshold", "probabilities"} & set(answer.json())


def test_the_recommended_policy_asks_neutral_first(enrolled):
    challenge = create(enrolled)
    assert (challenge["prompt"], challenge["steps"]) == ("neutral", 3)


def test_unknown_challenges(easy, photo):
    problem(easy.get("/v1/challenges/none"), 404, "challenge_not_found")
    problem(push(easy, "none", photo("obama")), 404, "challenge_not_found")
    problem(easy.post("/v1/challenges", json={"person": 5}), 422, "request_invalid")


def test_an_unusable_frame_changes_nothing(easy, photo):
    challenge = create(easy)["id"]
    push(easy, challenge, photo("obama"))
    problem(push(easy, challenge, b"no photo"), 422, "photo_unusable")
    assert push(easy, challenge, photo("obama")).json()["progress"] == pytest.approx(2 / 3)


def test_attempts_lock_out(easy):
    for _ in range(3):
        create(easy)
    answer = easy.post("/v1/challenges", json={"person": ADA})
    problem(answer, 429, "person_locked")
    assert 200 < int(answer.headers["Retry-After"]) <= 300


def test_one_key_does_not_lock_others_out(easy):
    keys = easy.app.state.service.keys
    evil, door = ({"Authorization": f"Bearer {keys.add(name, Role.ANALYSE)}"} for name in ("evil", "door"))
    for _ in range(3):
        assert easy.post("/v1/challenges", json={"person": ADA}, headers=evil).status_code == 201
    problem(easy.post("/v1/challenges", json={"person": ADA}, headers=evil), 429, "person_locked")
    assert easy.post("/v1/challenges", json={"person": ADA}, headers=door).status_code == 201


def test_a_key_cannot_tell_who_is_enrolled(easy, photo):
    """The same answers in the same order, whatever is sent, for somebody and for nobody."""
    told = {}
    for name in (ADA, "Grace Hopper"):
        answers = [easy.post("/v1/challenges", json={"person": name}) for _ in range(4)]
        challenge = answers[0].json()["id"]
        answers += [push(easy, challenge, photo("biden")), push(easy, challenge, b""), push(easy, challenge, noise())]
        with connect(easy, f"/v1/challenges/{challenge}/frames") as socket:
            shown = [socket.receive_json()]
            socket.send_bytes(photo("biden"))
            shown.append(socket.receive_json())
        answers.append(easy.get(f"/v1/challenges/{challenge}"))
        told[name] = [(answer.status_code, *(without_times(name, answer.json()))) for answer in answers]
        told[name] += [without_times(name, record) for record in shown]
    assert told[ADA] == told["Grace Hopper"]
    assert [answer[0] for answer in told[ADA][:5]] == [201, 201, 201, 429, 200]


def noise():
    out = io.BytesIO()
    Image.effect_noise((200, 200), 50).save(out, "PNG")
    return out.getvalue()


def without_times(name, record):
    """What an answer says but for ids, times and the name that was asked for."""
    hidden = ("id", "request_id", "seconds_left", "issued")
    return sorted((key, "the name" if value == name else value) for key, value in record.items() if key not in hidden)


def test_success_resets_the_attempts(easy, photo):
    create(easy)
    challenge = create(easy)["id"]
    for _ in range(3):
        push(easy, challenge, photo("obama"))
    for _ in range(3):
        create(easy)


def test_time_runs_out(started, photo):
    with started(policy={**EASY, "time_limit": 0.2}) as client:
        enrol(client, photo("obama"))
        challenge = create(client)["id"]
        time.sleep(0.25)
        result = client.get(f"/v1/challenges/{challenge}").json()
        assert (result["status"], result["seconds_left"], result["prompt"]) == ("refused", 0, None)
        assert push(client, challenge, photo("obama")).json()["status"] == "refused"


def test_a_removed_person_has_no_challenge(easy, photo, tmp_path):
    challenge = create(easy)["id"]
    push(easy, challenge, photo("obama"))
    easy.delete("/v1/people/Barack%20Obama")
    problem(easy.get(f"/v1/challenges/{challenge}"), 404, "challenge_not_found")
    for file in tmp_path.iterdir():
        assert ADA.encode() not in file.read_bytes(), file


def test_a_calibrated_threshold_is_that_of_challenges(easy, photo):
    files = [("photo", photo(name)) for name in ("obama", "obama2", "biden")]
    data = {"identity": ["o", "o", "b"], "far": "0.1", "save": "true"}
    chosen = easy.post("/v1/calibrate", files=files, data=data).json()["verification"]["threshold"]
    create(easy)
    service = easy.app.state.service
    with service.store.reading() as db:
        (text,) = db.execute("SELECT state FROM challenges").fetchone()
    assert json.loads(text)["policy"]["threshold"] == chosen


def test_frames_over_a_socket(easy, photo):
    challenge = create(easy)["id"]
    with connect(easy, f"/v1/challenges/{challenge}/frames") as socket:
        assert socket.receive_json()["status"] == "running"
        socket.send_bytes(b"no photo")
        assert socket.receive_json()["code"] == "photo_unusable"
        statuses = []
        for _ in range(3):
            socket.send_bytes(photo("obama"))
            statuses.append(socket.receive_json()["status"])
        assert statuses == ["running", "running", "accepted"]
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_json()
        assert end.value.code == 1000


def test_a_socket_ends_with_the_time(started, photo):
    with started(policy={**EASY, "time_limit": 0.4}) as client:
        enrol(client, photo("obama"))
        with connect(client, f"/v1/challenges/{create(client)['id']}/frames") as socket:
            assert socket.receive_json()["status"] == "running"
            assert socket.receive_json()["status"] == "refused"


def test_a_socket_to_nowhere(easy):
    with connect(easy, "/v1/challenges/none/frames") as socket:
        assert socket.receive_json()["code"] == "challenge_not_found"
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_json()
        assert end.value.code == 1008


def test_a_socket_takes_no_text(easy):
    with connect(easy, f"/v1/challenges/{create(easy)['id']}/frames") as socket:
        socket.receive_json()
        socket.send_text("x")
        assert socket.receive_json()["code"] == "request_invalid"


DAY = 86400.0


def test_attempts_before_a_lock_out_of_days_are_remembered(started, photo, monkeypatch):
    monkeypatch.setattr(upkeep, "SWEEP_SECONDS", 0.05)
    with started(policy={**EASY, "attempts": 2, "lockout": 7 * DAY}) as client:
        enrol(client, photo("obama"))
        create(client)
        store = client.app.state.service.store
        with store.writing() as db:
            db.execute("UPDATE attempts SET changed = changed - ?", (6 * DAY,))
        time.sleep(0.3)
        create(client)
        problem(client.post("/v1/challenges", json={"person": ADA}), 429, "person_locked")
