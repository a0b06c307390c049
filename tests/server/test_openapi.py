"""The OpenAPI: as it was agreed, with an example for each call, and each example as the call is."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from services import EASY, enrol

from mien.server import Settings, create_app, schemas

SNAPSHOT = Path(__file__).parents[2] / "docs/openapi.json"
DOCUMENT = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
CALLS = [(method, path) for path, item in DOCUMENT["paths"].items() for method in item]
PHOTOS = {"a1": "obama", "a2": "obama2", "b1": "biden", "one": "obama", "other": "obama2"}
"""What the files of the examples show; all others show the first."""


def operation(method, path):
    return DOCUMENT["paths"][path][method]


def success(method, path):
    """Status, media type and description of the answer when all is well."""
    ((status, answer),) = [(s, a) for s, a in operation(method, path)["responses"].items() if s.startswith("2")]
    ((media_type, content),) = answer["content"].items()
    return int(status), media_type, content


def check(value, schema):
    """By the model that the schema was made of; it has all fields, and no others."""
    if schema.get("type") == "array":
        assert value
        for item in value:
            check(item, schema["items"])
    else:
        model = getattr(schemas, schema["$ref"].rpartition("/")[2])
        model.model_validate_json(json.dumps(value), strict=True)
        assert set(value) == set(model.model_fields)


def test_the_interface_is_as_it_was_agreed():
    """Whoever changes it on purpose runs `mien serve openapi > docs/openapi.json` and looks at the difference."""
    now = create_app(Settings(gallery=Path("people.db"))).openapi()
    assert json.loads(json.dumps(now)) == DOCUMENT


def test_it_is_what_the_service_gives(shared):
    assert shared.get("/v1/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_each_call_has_an_example_of_its_form(method, path):
    call = operation(method, path)
    assert call["description"] and call["operationId"]
    (sample,) = call["x-codeSamples"]
    words = shlex.split(sample["source"])
    url = words[1].removeprefix("http://localhost:8000")
    assert words[0] == "curl"
    assert re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), url), url
    _, media_type, content = success(method, path)
    if media_type == "application/json":
        check(content["example"], content["schema"])
    else:
        assert isinstance(content["example"], str)


def test_each_call_is_named_once():
    names = [operation(*call)["operationId"] for call in CALLS]
    assert len(set(names)) == len(names) > 20


def test_problems_are_described_by_one_schema():
    for call in CALLS:
        for status, answer in operation(*call)["responses"].items():
            if not status.startswith("2"):
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ProblemAnswer"}


def test_the_examples_work(serve, photo, tmp_path):
    """As they stand in the document, through curl, in an order that makes sense."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    server = serve(policy=EASY)
    with server.client() as client:
        assert enrol(client, photo("obama"), photo("obama2"), name="Ada Lovelace").status_code == 201
        challenge = client.post("/v1/challenges", json={"person": "Ada Lovelace"}).json()["id"]
        order = sorted(CALLS, key=lambda call: (call[0] == "delete", -len(call[1])))
        order.remove(("post", "/v1/people"))  # once more at the end, when she has been removed
        for method, path in [*order, ("post", "/v1/people")]:
            status, media_type, content = success(method, path)
            words = shlex.split(operation(method, path)["x-codeSamples"][0]["source"])
            words[1] = words[1].replace("http://localhost:8000", server.url).replace("/ID", f"/{quote(challenge)}")
            for name in re.findall(r"@(\w+)\.jpg", " ".join(words)):
                (tmp_path / f"{name}.jpg").write_bytes(photo(PHOTOS.get(name, "obama")))
            command = [*words, "--silent", "--write-out", r"\n%{http_code} %{content_type}"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
            body, _, told = done.stdout.rpartition("\n")
            assert told.startswith(f"{status} {media_type}"), (method, path, body)
            if media_type == "application/json":
                check(json.loads(body), content["schema"])
