from __future__ import annotations

import json

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from mien.authentication import Store
from mien.server import Role
from mien.server.key_store import KeyStore


@pytest.fixture
def gallery(tmp_path):
    return tmp_path / "people.db"


@pytest.fixture
def serve(cli, gallery):
    return lambda *words: cli("serve", "keys", *words, "--gallery", gallery)


def keys(gallery):
    with Store(gallery.with_suffix(".service.db")) as store:
        return KeyStore(store).list()


def test_a_key_is_printed_once_listed_and_revoked(serve, gallery):
    made = serve("add", "front door", "--role", "enrol")
    assert made.exit_code == 0, made.stderr
    assert made.stdout.startswith("mien_")
    assert made.stderr == "keep it now: it cannot be shown again\n"
    (key,) = keys(gallery)
    assert (key.name, key.role) == ("front door", Role.ENROL)
    with Store(gallery.with_suffix(".service.db")) as store:
        assert KeyStore(store).find(made.stdout.strip()) == key
    listed = serve("list").stdout
    assert key.id in listed and "front door" in listed
    assert made.stdout.strip() not in listed
    assert serve("revoke", key.id).exit_code == 0
    assert keys(gallery) == []


def test_what_it_means_to_revoke_the_last_key_is_said(serve, gallery):
    serve("add", "front door")
    serve("add", "back door")
    first, last = keys(gallery)
    assert serve("revoke", first.id).stderr == ""
    told = serve("revoke", last.id).stderr
    assert "lets nobody in until `mien serve keys add` makes another" in told


def test_a_key_is_for_looking_unless_told_otherwise(serve, gallery):
    assert serve("add", "door").exit_code == 0
    assert keys(gallery)[0].role is Role.ANALYSE


def test_galleries_of_one_folder_have_keys_of_their_own(cli, tmp_path):
    for name in ("site.2025", "site.2026", "people.db", "people", "people.sqlite"):
        missing = cli("serve", "keys", "list", "--gallery", tmp_path / name)
        assert missing.exit_code == 3
        assert "no key was made" in missing.stderr
        assert cli("serve", "keys", "add", name, "--gallery", tmp_path / name).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("*.service*")) == [
        "people.service",
        "people.service.db",
        "people.sqlite.service",
        "site.2025.service",
        "site.2026.service",
    ]
    assert cli("serve", "keys", "revoke", "none", "--gallery", tmp_path / "gone.db").exit_code == 3
    assert not list(tmp_path.glob("gone*"))


@pytest.mark.parametrize(
    ("words", "code"), [(["add", " "], 3), (["revoke", "none"], 3), (["add", "a", "--role", "king"], 2)]
)
def test_what_makes_no_sense_is_refused(serve, words, code):
    done = serve(*words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr


def test_the_openapi_is_printed(cli):
    done = cli("serve", "openapi")
    assert done.exit_code == 0
    assert "/v1/analyze" in json.loads(done.stdout)["paths"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--policy", "none.json"], "is no policy"),
        (["--model", "none.onnx"], "none.onnx"),
        (["--gallery", "no/such/folder/people.db"], "no/such/folder"),
        (["--host", "192.0.2.1"], "there is no API key"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(cli, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    done = cli("serve", *arguments)
    assert done.exit_code == 3
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
