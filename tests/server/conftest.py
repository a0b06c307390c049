from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")
from services import Server, enrol
from starlette.testclient import TestClient

from mien.authentication import Store
from mien.server import Limits, Role, Settings, create_app
from mien.server.key_store import KeyStore


@pytest.fixture(scope="session")
def photo(examples):
    """The bytes of an example photo."""
    return lambda name: (examples / f"{name}.jpg").read_bytes()


@pytest.fixture
def started(tmp_path):
    """Start the application in this process; gives a client."""

    @contextmanager
    def start(policy=None, host="127.0.0.1", **limits):
        path = None
        if policy is not None:
            path = tmp_path / "policy.json"
            path.write_text(json.dumps(policy))
        settings = Settings(gallery=tmp_path / "people.db", policy=path, host=host, limits=Limits(**limits))
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            yield client

    return start


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A client for tests that change nothing."""
    settings = Settings(gallery=tmp_path_factory.mktemp("shared") / "people.db")
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def client(started):
    with started() as running:
        yield running


@pytest.fixture
def enrolled(client, photo):
    """A client of a service that knows one person."""
    assert enrol(client, photo("obama")).status_code == 201
    return client


@pytest.fixture
def serve(tmp_path):
    """Start servers in processes; they are killed at the end."""
    running = []

    def start(*arguments, gallery=None, policy=None, **options):
        arguments = ["--gallery", gallery or tmp_path / "people.db", *arguments]
        if policy is not None:
            path = Path(tmp_path / "policy.json")
            path.write_text(json.dumps(policy))
            arguments += ["--policy", path]
        running.append(Server(*arguments, **options))
        return running[-1]

    yield start
    for server in running:
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()


@pytest.fixture
def key(tmp_path):
    """Make keys for the servers of `serve`."""

    def make(role):
        with Store(Settings(gallery=tmp_path / "people.db").store) as store:
            return KeyStore(store).add(f"for {role}", Role(role))

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1, its key, and another key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    cert, own, other = (folder / name for name in ("cert.pem", "key.pem", "other.pem"))
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=mien"]
    for key, out in ((own, cert), (other, folder / "other-cert.pem")):
        command = [*new, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", out]
        subprocess.run(command, check=True, capture_output=True)
    return cert, own, other
