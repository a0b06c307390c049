"""The service as a process: how it starts and ends, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import time
from pathlib import Path

import httpx
import pytest
from services import ADA, EASY, enrol
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

JPEG = {"Content-Type": "image/jpeg"}
GRACEFUL = [signal.SIGTERM, signal.SIGINT]
WRITERS = """
import os, sys
def note(event, arguments):
    if event.startswith("tempfile."):
        print("WRITES", event, file=sys.stderr)
    elif event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        print("WRITES", arguments[0], file=sys.stderr)
sys.addaudithook(note)
"""
"""Tells on stderr of each file that Python opens to write; SQLite opens its own by itself."""


def create(client):
    answer = client.post("/v1/challenges", json={"person": ADA})
    assert answer.status_code == 201, answer.text
    return f"/v1/challenges/{answer.json()['id']}"


def push(client, challenge, frame):
    answer = client.post(f"{challenge}/frames", content=frame, headers=JPEG)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("how", [*GRACEFUL, signal.SIGKILL])
def test_people_and_challenges_survive_a_restart(serve, photo, how):
    server = serve(policy=EASY)
    with server.client() as client:
        assert enrol(client, photo("obama")).status_code == 201
        challenge = create(client)
        before = push(client, challenge, photo("obama"))
    assert (before["status"], before["progress"]) == ("running", pytest.approx(1 / 3, abs=0.01))
    assert server.stop(how) == (0 if how in GRACEFUL else -signal.SIGKILL)
    with serve(policy=EASY).client() as client:
        assert client.get("/v1/people").json()["total"] == 1
        assert push(client, challenge, photo("obama"))["progress"] == pytest.approx(2 / 3, abs=0.01)
        assert push(client, challenge, photo("obama"))["status"] == "accepted"


def test_what_was_accepted_is_finished_after_the_signal(serve, photo):
    server, body = serve(), photo("obama")
    with server.client():
        pass  # it is ready
    address = (httpx.URL(server.url).host, httpx.URL(server.url).port)
    head = f"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}"
    with socket.create_connection(address, timeout=30) as half_sent:
        half_sent.sendall(f"{head}\r\n\r\n".encode() + body[:1000])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert refuses(address)
        assert server.process.poll() is None
        half_sent.sendall(body[1000:])
        answer = b"".join(iter(lambda: half_sent.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"happiness"' in answer
    assert server.process.wait(10) == 0


def test_an_open_socket_is_closed_at_the_end_and_may_come_back(serve, photo):
    server = serve(policy=EASY)
    with server.client() as client:
        enrol(client, photo("obama"))
        path = f"{create(client)}/frames"
    with connect(f"ws{server.url.removeprefix('http')}{path}") as socket_:
        assert json.loads(socket_.recv())["status"] == "running"
        socket_.send(photo("obama"))
        assert json.loads(socket_.recv())["progress"] == pytest.approx(1 / 3, abs=0.01)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as end:
            socket_.recv(timeout=10)
        assert end.value.rcvd.code == 1012  # the service restarts
    assert server.process.wait(10) == 0
    server = serve(policy=EASY)
    with connect(f"ws{server.url.removeprefix('http')}{path}") as socket_:
        assert json.loads(socket_.recv())["progress"] == pytest.approx(1 / 3, abs=0.01)


def refuses(address):
    """Whether nobody listens there any more, soon."""
    for _ in range(100):
        try:
            socket.create_connection(address, timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.05)
    return False


def test_photos_are_neither_written_nor_logged(serve, photo, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    server = serve(policy=EASY, prelude=WRITERS, environment={"TMPDIR": str(folder)})
    photos = [photo(name) for name in ("obama", "obama2", "biden")]
    with server.client() as client:
        files = [("photo", ("holiday.jpg", data)) for data in photos]
        big = [*files, *[("photo", ("noise.jpg", os.urandom(2_000_000)))] * 3]  # usual parsers spool these to a file
        assert client.post("/v1/people", data={"name": ADA, "consent": "yes"}, files=big).status_code == 201
        assert client.post("/v1/analyze", files={"photo": photos[0]}).status_code == 200
        assert client.post("/v1/identify", content=photos[0], headers=JPEG).status_code == 200
        assert client.post("/v1/verify", files={"a": photos[0], "b": photos[1]}).status_code == 200
        assert client.post("/v1/analyze", content=photos[0][:9000], headers=JPEG).status_code == 422
        assert push(client, create(client), photos[0])
        data = {"identity": ["o", "o", "b"], "far": "0.1"}
        assert client.post("/v1/calibrate", files=files, data=data).status_code == 200
    assert server.stop() == 0
    written = {line.split(maxsplit=1)[1].strip() for line in server.lines if line.startswith("WRITES")}
    assert written <= {str(tmp_path / "people.db"), str(tmp_path / "people.service.db")}
    assert written  # the hook works
    assert list(folder.iterdir()) == []
    stored = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert stored.keys() >= {"people.db", "people.service.db"}
    for piece in (data[at : at + 24] for data in photos for at in range(1000, 9000, 500)):
        assert not [name for name, content in stored.items() if piece in content]
    for secret in (ADA, "holiday", "JFIF", "happiness"):
        assert secret not in "".join(line for line in server.lines if "mien.audit" not in line)


def test_small_answers_are_sent_at_once(serve):
    """An answer in two pieces takes 40 ms when the second one waits for the receipt of the first."""
    with serve().client() as client:
        seconds = []
        for _ in range(20):
            start = time.perf_counter()
            client.get("/v1/health")
            seconds.append(time.perf_counter() - start)
    assert sorted(seconds)[5] < 0.02


def test_elsewhere_it_needs_a_key(serve, key, tmp_path):
    refused = serve("--host", "0.0.0.0")
    assert refused.process.wait(30) == 3
    assert "0.0.0.0 can be reached by others, and there is no API key; run `mien serve keys add`" in refused.ended()
    assert "listening" not in refused.log
    text = key("analyse")
    server = serve("--host", "0.0.0.0")
    with server.client(headers={"Authorization": f"Bearer {text}"}) as client:
        assert client.get("/v1/service").json()["role"] == "analyse"
        assert client.get("/v1/challenges/x").status_code == 404
        assert client.get("/v1/challenges/x", headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "example.org", "localhost.example.org"])
def test_no_other_address_counts_as_this_machine(serve, host):
    server = serve("--host", host)
    assert server.process.wait(30) == 3
    assert "there is no API key" in server.ended()


def test_a_port_that_is_taken_is_told(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = serve("--port", taken.getsockname()[1])
        assert server.process.wait(30) == 3
        assert "choose another --host or --port" in server.ended()


def test_https(serve, photo, certificate):
    cert, own, _ = certificate
    server = serve("--tls-cert", cert, "--tls-key", own)
    assert server.url.startswith("https://127.0.0.1:")
    with server.client(verify=ssl.create_default_context(cafile=cert)) as client:
        answer = client.post("/v1/analyze", content=photo("obama"), headers=JPEG)
        assert answer.json()["faces"][0]["expression"] == "happiness"
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{server.url}/v1/health")
    assert server.stop() == 0


def test_certificates_that_do_not_fit_are_refused(serve, certificate):
    cert, own, other = certificate
    for arguments in (["--tls-cert", cert], ["--tls-key", own]):
        server = serve(*arguments)
        assert server.process.wait(30) == 3
        assert "give both --tls-cert and --tls-key" in server.ended()
    server = serve("--tls-cert", cert, "--tls-key", other)
    assert server.process.wait(30) == 3
    assert "are no certificate with its key" in server.ended()


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")


def workers_of(server):
    """The ids of a server's workers."""
    process = server.process.pid
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def answering(server, *workers):
    """Wait until these workers are there, and the server answers."""
    for _ in range(300):
        found = workers_of(server)
        if len(found) == 2 and not set(workers) & set(found):
            return found
        time.sleep(0.1)
    raise AssertionError(server.log)


@linux
def test_workers_share_people_challenges_and_metrics(serve, photo):
    server = serve("--workers", 2, policy=EASY, environment={"PYTHONWARNINGS": "error"})
    with server.client() as client:
        assert enrol(client, photo("obama")).status_code == 201
        challenge = create(client)
    first, second = answering(server)
    for idle, expected in ((second, "running"), (first, "running"), (second, "accepted")):
        os.kill(idle, signal.SIGSTOP)  # so that the other one takes the connection
        with httpx.Client(base_url=server.url, timeout=60) as client:
            assert push(client, challenge, photo("obama"))["status"] == expected
        os.kill(idle, signal.SIGCONT)
    with server.client() as client:
        text = client.get("/metrics").text
    frames = 'mien_requests_total{method="POST",route="/v1/challenges/{id}/frames",status="200"} 3.0'
    assert frames in text
    assert server.stop() == 0


@linux
def test_a_worker_that_dies_is_replaced(serve):
    server = serve("--workers", 2)
    with server.client():
        pass
    first, second = answering(server)
    os.kill(first, signal.SIGKILL)
    assert second in answering(server, first)
    assert "a worker ended" in server.log
    with server.client() as client:
        assert client.get("/v1/people").status_code == 200
    assert server.stop() == 0


def test_a_key_made_meanwhile_closes_a_running_service(serve, key):
    with serve().client() as client:
        assert client.get("/v1/people").status_code == 200
        key("analyse")
        assert client.get("/v1/people").status_code == 401
