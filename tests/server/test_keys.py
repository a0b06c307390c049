from __future__ import annotations

from contextlib import closing

import pytest
from services import ADA, EASY, enrol, problem
from starlette.websockets import WebSocketDisconnect

from mien.authentication import Store
from mien.errors import ServiceError
from mien.server.key_store import KeyStore
from mien.server.keys import Role, matches, new_key, split

CALLS = {
    Role.ANALYSE: [("POST", "/v1/analyze"), ("POST", "/v1/verify"), ("POST", "/v1/identify"), ("GET", "/metrics")],
    Role.ENROL: [
        ("GET", "/v1/people"),
        ("POST", "/v1/people"),
        ("GET", "/v1/people/x"),
        ("DELETE", "/v1/people/x"),
        ("GET", "/v1/people/x/samples"),
        ("POST", "/v1/people/x/samples"),
        ("DELETE", "/v1/people/x/samples/1"),
    ],
    Role.ADMIN: [("GET", "/v1/people/x/export"), ("POST", "/v1/calibrate")],
}
CALLS[Role.ANALYSE] += [
    ("POST", "/v1/challenges"),
    ("GET", "/v1/challenges/x"),
    ("POST", "/v1/challenges/x/frames"),
]


@pytest.fixture
def keys(client):
    """A key of each role; the service needs keys from now on."""
    return {role: client.app.state.service.keys.add(f"for {role}", role) for role in Role}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_the_table_of_calls_is_complete(client):
    open_to_all = {"/v1/service", "/v1/health", "/v1/ready", "/v1/problems", "/v1/problems/{code}"}
    document = client.get("/v1/openapi.json").json()["paths"]
    known = {(method, path) for calls in CALLS.values() for method, path in calls}
    for path, item in document.items():
        if path not in open_to_all:
            concrete = path.replace("{name}", "x").replace("{id}", "x").replace("{number}", "1")
            assert {(method.upper(), concrete) for method in item} <= known
    for role, calls in CALLS.items():
        assert calls, role


def test_roles(client, keys):
    for needed, calls in CALLS.items():
        for method, path in calls:
            body = {"json": {"person": "x"}} if path == "/v1/challenges" else {}
            problem(client.request(method, path, **body), 401, "key_required")
            for role, key in keys.items():
                answer = client.request(method, path, headers=bearer(key), **body)
                if role.includes(needed):
                    assert answer.status_code in (200, 201, 404, 415), (role, method, path)
                else:
                    problem(answer, 403, "role_insufficient")


def test_what_needs_no_key(client, keys):
    for path in ("/v1/health", "/v1/ready", "/v1/problems", "/v1/openapi.json", "/"):
        assert client.get(path).status_code == 200
    assert client.get("/v1/service").json()["role"] is None
    assert client.get("/v1/service").json()["key_needed"] is True
    assert client.get("/v1/service", headers=bearer(keys[Role.ENROL])).json()["role"] == "enrol"


def test_without_keys_all_is_open_here(client):
    answer = client.get("/v1/service").json()
    assert (answer["role"], answer["key_needed"]) == ("admin", False)


def test_wrong_keys(client, keys):
    good = keys[Role.ADMIN]
    other_id = f"mien_{'0' * 8}_{split(good)[1]}"
    for wrong in ("", "x", "mien__", "mien_a_b", good[:-1], good + "x", other_id, good.upper(), "mien_é_ü".encode()):
        value = b"Bearer " + (wrong if isinstance(wrong, bytes) else wrong.encode())
        problem(client.get("/v1/people", headers={"Authorization": value}), 401, "key_required")
    assert client.get("/v1/people", headers=bearer(good)).status_code == 200
    problem(client.get("/v1/people", headers={"Authorization": f"Basic {good}"}), 401, "key_required")


def test_a_revoked_key_is_refused_at_once(client, keys):
    keys_store = client.app.state.service.keys
    keys_store.revoke(split(keys[Role.ADMIN])[0])
    problem(client.get("/v1/people", headers=bearer(keys[Role.ADMIN])), 401, "key_required")
    with pytest.raises(ServiceError, match="no key"):
        keys_store.revoke("nothing")


def test_a_service_whose_keys_are_all_revoked_is_shut(client, keys):
    store = client.app.state.service.keys
    left = [store.revoke(split(key)[0]) for key in keys.values()]
    assert left == [True, True, False]
    problem(client.get("/v1/people"), 401, "key_required")
    problem(client.get("/v1/people", headers=bearer(keys[Role.ADMIN])), 401, "key_required")
    assert client.get("/v1/service").json()["key_needed"] is True
    with pytest.raises(ServiceError, match="no key"):
        store.revoke("nothing")
    assert client.get("/v1/people", headers=bearer(store.add("another", Role.ENROL))).status_code == 200


def test_a_key_that_never_was_shuts_nothing(client):
    with pytest.raises(ServiceError, match="no key"):
        client.app.state.service.keys.revoke("nothing")
    assert client.get("/v1/people").status_code == 200


@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_without_keys_what_a_proxy_passed_on_is_refused(client, name):
    passed_on = {"Host": "localhost", name: "anything"}
    problem(client.get("/v1/people", headers=passed_on), 401, "key_required")
    answer = client.get("/v1/service", headers=passed_on).json()
    assert (answer["role"], answer["key_needed"]) == (None, True)
    with client.websocket_connect("ws://localhost/v1/challenges/x/frames", headers={name: "anything"}) as socket:
        assert socket.receive_json()["code"] == "key_required"
    key = client.app.state.service.keys.add("a door", Role.ENROL)
    assert client.get("/v1/people", headers={**passed_on, **bearer(key)}).status_code == 200


def test_without_keys_a_service_elsewhere_stays_shut(started):
    """All keys were revoked while it ran."""
    with started(host="0.0.0.0") as client:
        problem(client.get("/v1/people"), 401, "key_required")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"]
)
def test_pages_of_other_sites_are_refused(client, photo, origin):
    problem(client.get("/v1/people", headers={"Origin": origin}), 403, "origin_refused")
    answer = client.post("/v1/people", files={"photo": photo("obama")}, headers={"Origin": origin})
    problem(answer, 403, "origin_refused")


def test_its_own_page_may(client):
    assert client.get("/v1/people", headers={"Origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "192.168.0.1"])
def test_without_keys_only_local_names(client, host):
    problem(client.get("/v1/people", headers={"Host": host}), 403, "origin_refused")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_local_names(client, host):
    assert client.get("/v1/people", headers={"Host": host}).status_code == 200


def test_a_socket_needs_a_key(started, photo):
    with started(policy=EASY) as client:
        enrol(client, photo("obama"))
        key = client.app.state.service.keys.add("a door", Role.ANALYSE)
        challenge = client.post("/v1/challenges", json={"person": ADA}, headers=bearer(key)).json()["id"]
        path = f"ws://localhost/v1/challenges/{challenge}/frames"
        for protocols in (None, ["mien", "key.wrong"]):
            with client.websocket_connect(path, subprotocols=protocols) as socket:
                assert socket.receive_json()["code"] == "key_required"
                with pytest.raises(WebSocketDisconnect):
                    socket.receive_json()
        with client.websocket_connect(path, headers={"Origin": "http://evil.example", **bearer(key)}) as socket:
            assert socket.receive_json()["code"] == "origin_refused"
        with client.websocket_connect(path, headers=bearer(key)) as socket:
            assert socket.receive_json()["status"] == "running"
        with client.websocket_connect(path, subprotocols=["mien", f"key.{key}"]) as socket:
            assert socket.accepted_subprotocol == "mien"
            assert socket.receive_json()["status"] == "running"


def test_only_a_hash_is_stored(tmp_path):
    with closing(Store(tmp_path / "x.service.db")) as store:
        text = KeyStore(store).add("a door", Role.ADMIN)
        key = KeyStore(store).find(text)
        assert (key.name, key.role) == ("a door", Role.ADMIN)
        assert KeyStore(store).list() == [key]
    assert (tmp_path / "x.service.db").stat().st_mode & 0o077 == 0
    assert split(text)[1].encode() not in (tmp_path / "x.service.db").read_bytes()


def test_keys_are_random_and_match_their_hash_alone():
    drawn = [new_key() for _ in range(50)]
    assert len({text for text, _, _ in drawn}) == 50
    for (text, key_id, digest), (_, _, other) in zip(drawn, drawn[1:] + drawn[:1], strict=True):
        assert split(text)[0] == key_id
        assert len(split(text)[1]) >= 43  # 256 bits in base 64
        assert matches(split(text)[1], digest)
        assert not matches(split(text)[1], other)
        assert not matches(split(text)[1], None)


def test_a_strange_file_is_refused(tmp_path):
    import sqlite3

    path = tmp_path / "x.service.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(ServiceError, match="no file of this service"):
        Store(path)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(ServiceError, match="no file of this service"):
        Store(path)
