"""The Dockerfile and the unit: what can be checked without an engine or systemd at work."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from blocks import Block, check_commands
from services import Server

from mien.server.run import GRACE_SECONDS

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
UNIT = (ROOT / "deploy/mien.service").read_text()
IGNORED = (ROOT / "deploy/Dockerfile.dockerignore").read_text().split("\n")
MIEN = Path(sys.executable).with_name("mien")


def instructions(name):
    """What follows an instruction of the Dockerfile, each time."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.M)


def setting(name):
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT, re.M)
    return value


def parsed(words):
    check_commands(Block("sh", shlex.join(words), 1, ""), "deploy")


def test_the_commands_exist():
    program, *start = shlex.split(setting("ExecStart"))
    assert Path(program).name == "mien"
    parsed(["mien", *start])
    entry, options = json.loads(instructions("ENTRYPOINT")[0]), json.loads(instructions("CMD")[0])
    parsed([*entry, *options])
    parsed([*entry, "keys", "add", "door", "--role", "enrol"])  # as the page shows


def test_the_image_has_all_that_the_package_is_made_of():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [project["project"]["readme"], *project["project"]["license-files"]]
    needed += project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = [source for line in instructions("COPY")[:2] for source in line.split()[:-1]]
    for path in needed:
        assert any(Path(path).is_relative_to(source) for source in copied), path
    assert {f"!{source}" for source in copied} == {line for line in IGNORED if line.startswith("!")}
    for source in copied:
        assert (ROOT / source).exists()
    assert re.search(r'pip install .*"\.\[serve\]"', DOCKERFILE)


def test_neither_runs_as_root():
    assert instructions("USER") == ["mien"]
    assert setting("User") == "mien"


def test_the_containers_start_and_its_check_work(key, tmp_path):
    """As in the image, but for the port and the gallery's place."""
    key("analyse")  # a container is reached by others
    *options, health = *json.loads(instructions("CMD")[0]), instructions("HEALTHCHECK CMD")[0]
    server = Server(*options, environment={"MIEN_GALLERY": str(tmp_path / "people.db")})
    try:
        with server.client():
            port = server.url.rpartition(":")[2]
            python, flag, code = json.loads(health)
            check = [sys.executable, flag, code.replace(":8000", f":{port}")]
            assert python == "python"
            assert ":8000" in code
            subprocess.run(check, check=True)
        assert server.stop() == 0
        assert subprocess.run(check, check=False, capture_output=True).returncode == 1
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()
    assert instructions("ENV")[0].endswith("MIEN_GALLERY=/data/people.db")
    assert instructions("VOLUME") == ["/data"]


def test_systemd_waits_for_what_was_accepted():
    assert int(setting("TimeoutStopSec")) > GRACE_SECONDS
    assert setting("Environment") == f"MIEN_GALLERY=/var/lib/{setting('StateDirectory')}/people.db"


def test_the_first_key_is_made_before_the_service_starts():
    page = (ROOT / "docs/service.md").read_text()
    steps = page[page.index("## systemd") :]
    assert 0 < steps.index("serve keys add") < steps.index("systemctl enable --now")
    assert f"--gallery {setting('Environment').removeprefix('MIEN_GALLERY=')}" in steps


def test_systemd_takes_the_unit(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    unit = tmp_path / "mien.service"
    unit.write_text(UNIT.replace("/opt/mien/bin/mien", str(MIEN)))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "mien.service" in line]) == (0, [])
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr  # 2.0 of 10, where less is better
