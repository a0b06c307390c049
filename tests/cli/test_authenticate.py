from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest
from made_clips import fade, on_canvas, write_clip

from mien.cli.exits import ExitCode

SIZE, SIDE = (240, 180), 150


@pytest.fixture
def smile(tmp_path, examples):
    picture = on_canvas(examples / "obama.jpg", SIZE, side=SIDE, at=(40, 15))
    return write_clip(tmp_path / "smile.mp4", [picture] * 8)


@pytest.fixture
def lenient(tmp_path):
    """A policy that a single photo can meet, as no example shows one person neutral and smiling."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"neutral_first": False, "hold": 4, "expressions": ["happiness", "surprise"]}))
    return path


def record(result):
    return json.loads(result.stdout)


def test_an_audit_spares_what_is_no_audit(cli, smile, lenient, examples, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes((examples / "obama2.jpg").read_bytes())
    result = cli("authenticate", smile, "-r", photo, "--ask", "happiness", "--policy", lenient, "--audit", photo)
    assert result.exit_code == ExitCode.ERROR
    assert "holds something else than records" in result.stderr
    assert photo.read_bytes() == (examples / "obama2.jpg").read_bytes()


def test_an_audit_that_cannot_be_kept_ends_before_the_attempt(cli, smile, lenient, examples, tmp_path):
    audit = tmp_path / "none" / "audit.jsonl"
    arguments = ("-r", examples / "obama2.jpg", "--ask", "happiness", "--policy", lenient, "--audit", audit)
    result = cli("authenticate", smile, *arguments)
    assert (result.exit_code, result.stdout) == (ExitCode.ERROR, "")
    assert result.stderr.splitlines()[-1] == f"mien: {str(audit)!r}: No such file or directory"


def test_the_right_person_with_the_right_expression(cli, smile, lenient, examples, tmp_path):
    audit = tmp_path / "audit.jsonl"
    arguments = ("-r", examples / "obama2.jpg", "--ask", "happiness", "--policy", lenient, "--audit", audit)
    result = cli("authenticate", smile, *arguments, "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert record(result) == {
        "accepted": True,
        "reason": None,
        "asked": ["happiness"],
        "done": 1,
        "seconds": pytest.approx(0.3),
    }
    assert result.stderr == "show happiness and hold it (1 of 1)\n"
    (line,) = audit.read_text().splitlines()
    assert json.loads(line)["counts"]["counted"] == 4
    assert cli("authenticate", smile, *arguments).stdout == "accepted\n"
    assert len(audit.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        pytest.param("biden.jpg", ["happiness"], id="wrong person"),
        pytest.param("obama2.jpg", ["surprise"], id="wrong expression"),
        pytest.param("obama2.jpg", ["happiness", "surprise"], id="half of it"),
    ],
)
def test_anything_else_is_refused_in_the_same_words(cli, smile, lenient, examples, reference, asked):
    asks = [word for name in asked for word in ("--ask", name)]
    result = cli("authenticate", smile, "-r", examples / reference, *asks, "--policy", lenient)
    assert result.exit_code == ExitCode.DIFFERENT
    assert result.stdout == "refused: the prompts were not completed in time\n"


def test_a_smile_without_neutral_is_refused(cli, smile, examples):
    result = cli("authenticate", smile, "-r", examples / "obama2.jpg", "--ask", "happiness", "--json")
    assert result.exit_code == ExitCode.DIFFERENT
    assert record(result)["done"] == 0


def test_wrong_usage_is_told(cli, smile, examples, tmp_path):
    result = cli("authenticate", smile, "-r", examples / "obama.jpg")
    assert result.exit_code == ExitCode.USAGE
    assert "cannot follow random prompts" in " ".join(result.stderr.replace("│", " ").split())
    assert cli("authenticate", smile, "--ask", "happiness").exit_code == ExitCode.USAGE
    assert cli("authenticate", smile, "-r", examples / "obama.jpg", "--ask", "joy").exit_code == ExitCode.USAGE
    for text in ("no json", "[]", '{"holding": 3}', '{"hold": 0}', '{"expressions": ["joy"]}'):
        (tmp_path / "policy.json").write_text(text)
        policy = tmp_path / "policy.json"
        result = cli("authenticate", smile, "-r", examples / "obama.jpg", "--ask", "happiness", "--policy", policy)
        assert result.exit_code == ExitCode.ERROR, text
        assert len(result.stderr.splitlines()) == 1
    result = cli("authenticate", smile, "-r", examples / "obama.jpg", "--ask", "neutral")
    assert result.exit_code == ExitCode.ERROR
    assert "neutral cannot be asked" in result.stderr


@pytest.fixture(scope="module")
def london(tmp_path_factory):
    archive = Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")) / "london.tar"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there; set MIEN_TEST_DATA to the folder of the photo archives")
    folder = tmp_path_factory.mktemp("london")
    wanted = [f"london/{part}/{person}" for part, person in PHOTOS]
    with tarfile.open(archive) as tar:
        tar.extractall(folder, [tar.getmember(name) for name in wanted], filter="data")
    return folder / "london"


PHOTOS = [
    (f"{kind}_front", f"{person}_{number}.jpg")
    for person in ("002", "022")
    for kind, number in (("neutral", "03"), ("smiling", "08"))
]


def test_real_people_who_smile_when_asked(cli, london, tmp_path):
    clips = {}
    for person in ("002", "022"):
        neutral, smiling = (
            on_canvas(london / part / name, (360, 360), side=360, at=(0, 0))
            for part, name in PHOTOS
            if name.startswith(person)
        )
        still = [neutral] * 6
        clips[person] = write_clip(tmp_path / f"{person}.mp4", still + fade(neutral, smiling, 4) + [smiling] * 6)
        clips[person, "still"] = write_clip(tmp_path / f"{person}-still.mp4", still * 3)
    reference = ("-r", london / "neutral_front" / "002_03.jpg", "--ask", "happiness")
    assert cli("authenticate", clips["002"], *reference).exit_code == ExitCode.DONE
    assert cli("authenticate", clips["002", "still"], *reference).exit_code == ExitCode.DIFFERENT
    assert cli("authenticate", clips["022"], *reference).exit_code == ExitCode.DIFFERENT
