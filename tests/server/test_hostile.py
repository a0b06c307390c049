"""Clients without a key that send slowly, partly or nothing: those with a key get their answers."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest
from services import ADA, Server, enrol, problem
from websockets.sync.client import connect

from mien.authentication import Store
from mien.server import Role
from mien.server.key_store import KeyStore

JPEG = {"Content-Type": "image/jpeg"}
HASTY = "import mien.server.connections as c; c.HEAD_SECONDS = 1.0; c.SEND_SECONDS = 1.0\n"
BODIES = {
    "/v1/analyze": "image/jpeg",
    "/v1/identify": "image/jpeg",
    "/v1/verify": "multipart/form-data; boundary=x",
    "/v1/people": "multipart/form-data; boundary=x",
    "/v1/people/x/samples": "multipart/form-data; boundary=x",
    "/v1/calibrate": "multipart/form-data; boundary=x",
    "/v1/challenges": "application/json",
    "/v1/challenges/x/frames": "image/jpeg",
    "/v1/nothing": "image/jpeg",
}


@contextmanager
def running(folder, *arguments, **options):
    """A server with a key."""
    with Store(folder / "people.service.db") as store:
        bearer = {"Authorization": f"Bearer {KeyStore(store).add('a door', Role.ENROL)}"}
    server = Server("--gallery", folder / "people.db", *arguments, **options)
    try:
        yield server, bearer
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A server with one place."""
    with running(tmp_path_factory.mktemp("narrow"), "--concurrency", 1) as found:
        yield found


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server that waits for a second only."""
    with running(tmp_path_factory.mktemp("hasty"), "--concurrency", 2, prelude=HASTY) as found:
        yield found


@pytest.fixture
def raw():
    """Open sockets; they are closed at the end."""
    with ExitStack() as held:

        def start(server, text="", source="127.0.0.1", **options):
            url = httpx.URL(server.url)
            made = held.enter_context(closing(socket.socket()))
            for name, value in options.items():
                made.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
            made.settimeout(20)
            made.bind((source, 0))
            made.connect((url.host, url.port))
            made.sendall(text.encode())
            return made

        yield start


def head(path, length, content_type="image/jpeg", method="POST", **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {length}"] * (length is not None)
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""])


def status(client):
    """Of the answer that comes, without its end."""
    return int(client.recv(12).split()[1])


def answer(client):
    """All that comes until the other side ends the connection."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def ends(client, seconds=20):
    """Whether the other side ends a connection in time."""
    end = time.monotonic() + seconds
    client.settimeout(0.5)
    while time.monotonic() < end:
        try:
            if not client.recv(65536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def eventually(check, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("sent", ["", "x"])
def test_bodies_without_a_key_take_nobodys_place(narrow, raw, photo, sent):
    """Each is refused before a byte of it is read, whatever the path."""
    server, bearer = narrow
    with server.client(headers=bearer) as client:
        for path, content_type in BODIES.items():
            for headers in ({}, {"Authorization": "Bearer mien_00000000_wrong"}):
                assert status(raw(server, head(path, 500, content_type, **headers) + sent)) == 401, path
        chunk = head("/v1/challenges", None, Transfer_Encoding="chunked") + f"{len(sent)}\r\n{sent}\r\n"
        assert status(raw(server, chunk)) == 401
        assert client.post("/v1/analyze", content=photo("obama"), headers=JPEG).status_code == 200


def test_sockets_without_a_key_take_nobodys_place(narrow, raw, photo):
    server, bearer = narrow
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": 13}
    upgrade["Sec_WebSocket_Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with server.client(headers=bearer) as client:
        for _ in range(4):
            refused = answer(raw(server, head("/v1/challenges/x/frames", None, method="GET", **upgrade)))
            assert b"101 Switching Protocols" in refused
            assert b"key_required" in refused
        assert enrol(client, photo("obama")).status_code == 201
        challenge = client.post("/v1/challenges", json={"person": ADA}).json()["id"]
        url = f"ws{server.url.removeprefix('http')}/v1/challenges/{challenge}/frames"
        with connect(url, additional_headers=bearer) as socket_:
            assert '"running"' in socket_.recv()
            with connect(url, additional_headers=bearer) as another:
                assert '"busy"' in another.recv()


def test_health_and_metrics_have_no_place_to_wait_for(narrow, raw):
    """With all places taken, those who watch the service still get their answers."""
    server, bearer = narrow
    with server.client(headers=bearer) as client:
        raw(server, head("/v1/analyze", 500, **bearer) + "x")
        eventually(lambda: client.post("/v1/analyze", content=b"", headers=JPEG).status_code == 503)
        problem(client.post("/v1/analyze", content=b"", headers=JPEG), 503, "busy")
        for path in ("/v1/health", "/v1/ready", "/metrics"):
            assert client.get(path).status_code == 200, path
        assert httpx.get(f"{server.url}/v1/service").status_code == 200  # who has no key waits for others without one


def test_heads_that_never_end_are_ended(hasty, raw):
    server, _ = hasty
    whole = "GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n"
    with server.client() as client:
        before = len(server.log)
        texts = ["", "GET / HT", "POST /v1/analyze HTTP/1.1\r\nHost: a\r\nX-A: ", "\x16\x03\x01", f"{whole}GET"]
        slow = [raw(server, text, source="127.0.0.2") for text in texts * 8]
        assert all(ends(one) for one in slow)
        assert client.get("/v1/health").status_code == 200
    assert len(server.log) - before < 3000


def test_one_byte_a_moment_is_no_progress(hasty, raw):
    server, _ = hasty
    with server.client():
        slow, start = raw(server, "GET / HTTP/1.1\r\nHost: a\r\nX-A: "), time.monotonic()
        with pytest.raises(OSError):
            while True:
                slow.sendall(b"a")
                time.sleep(0.05)
                assert time.monotonic() - start < 20


def test_who_does_not_read_gives_the_place_back(hasty, raw):
    """The page's files are for all, and are sent in parts."""
    server, _ = hasty
    with server.client() as client:
        ask = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1500
        unread = [raw(server, ask, source="127.0.0.2", SO_RCVBUF=2048) for _ in range(3)]
        eventually(lambda: client.get("/style.css").status_code == 503)
        eventually(lambda: client.get("/style.css").status_code == 200)
        assert all(one.fileno() > 0 for one in unread)
    assert "Traceback" not in server.log


def test_two_lengths_of_one_body_are_refused(hasty, raw):
    server, _ = hasty
    with server.client():
        for version in ("1.1", "1.0"):
            both = head("/v1/analyze", 5, Transfer_Encoding="chunked").replace("HTTP/1.1", f"HTTP/{version}")
            smuggled = raw(server, f"{both}0\r\n\r\nGET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            refused = answer(smuggled)
            assert refused.startswith(b"HTTP/1.1 400")
            assert b"framing_ambiguous" in refused
            assert refused.count(b"HTTP/1.1") == 1


def test_requests_that_are_none_are_not_logged(hasty, raw):
    server, _ = hasty
    with server.client():
        assert all(ends(raw(server, "\x00\x01 nonsense\r\n\r\n")) for _ in range(20))
    assert "Invalid HTTP" not in server.log


LOW = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150))\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a limit of open files")
def test_few_descriptors_are_no_reason_to_write_a_long_log(tmp_path, raw, photo):
    with running(tmp_path, prelude=LOW + HASTY) as (server, bearer), server.client(headers=bearer) as client:
        for _ in range(4):
            slow = [raw(server, "GET / HT", source="127.0.0.2") for _ in range(60)]
            assert client.post("/v1/analyze", content=photo("obama"), headers=JPEG).status_code == 200
            for one in slow:
                one.close()
        assert "raise the limit of open files" in server.log
        assert len(server.log) < 10_000


def test_a_tls_handshake_that_never_ends_is_ended(tmp_path, raw, certificate):
    cert, own, _ = certificate
    with running(tmp_path, "--tls-cert", cert, "--tls-key", own, prelude=HASTY) as (server, _):
        with server.client(verify=ssl.create_default_context(cafile=cert)) as client:
            slow = [raw(server, text) for text in ("", "\x16\x03\x01", "GET / HTTP/1.1\r\n\r\n") for _ in range(10)]
            assert all(ends(one) for one in slow)
            assert client.get("/v1/health").status_code == 200
        assert "Traceback" not in server.log
        assert len(server.log) < 5000
