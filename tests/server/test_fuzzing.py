"""Whatever schemathesis sends to a running service: no failure, and no answer that the OpenAPI does not promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from services import enrol

pytest.importorskip("schemathesis", reason="needs schemathesis")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
COUNT = re.compile(r'mien_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\}')


@pytest.mark.parametrize(
    ("phases", "cases", "seconds"),
    [
        ("examples,coverage,fuzzing", 10, 12),
        pytest.param("examples,coverage,fuzzing,stateful", 200, 150, marks=pytest.mark.slow),
    ],
    ids=["short", "long"],
)
def test_schemathesis_finds_nothing(serve, key, photo, tmp_path, phases, cases, seconds):
    server = serve("--rate", 1e6)
    authorization = f"Bearer {key('admin')}"
    with server.client(headers={"Authorization": authorization}) as client:
        assert enrol(client, photo("obama"), photo("obama2")).status_code == 201
        done = fuzz(server.url, authorization, tmp_path, "--phases", phases, "-n", cases, "--max-time", seconds)
        assert done.returncode == 0, re.sub(r"(?m)^(.{200}).+$", r"\1 ...", done.stdout)  # it prints photos
        answers = [match.groups() for match in COUNT.finditer(client.get("/metrics").text)]
        paths = client.get("/v1/openapi.json").json()["paths"]
    calls = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert not [answer for answer in answers if answer[2].startswith("5")]
    assert calls <= {(method, path) for method, path, _ in answers}
    succeeded = calls & {(method, path) for method, path, status in answers if status.startswith("2")}
    assert len(succeeded) >= 0.8 * len(calls)  # it is not stopped by the first check of every call


def fuzz(url, authorization, folder, *arguments):
    here = str(Path(__file__).parent)
    assert url.startswith("http://127.0.0.1:")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/v1/openapi.json", "--seed", "0", "--no-color"]
    command += ["--checks", ",".join(CHECKS), "--header", f"Authorization: {authorization}", "--continue-on-failure"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,  # for what it writes
        env={**os.environ, "SCHEMATHESIS_HOOKS": "fuzzing_hooks", "PYTHONPATH": here},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
