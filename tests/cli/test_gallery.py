from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from mien import Gallery, Mien
from mien.authentication import ChallengeStore, Policy, Store
from mien.cli.exits import ExitCode
from mien.gallery.companions import service_file


@pytest.fixture
def call(cli, tmp_path):
    """`mien gallery` on a gallery of its own."""

    def run(command, *arguments):
        return cli("gallery", command, *arguments, "--gallery", tmp_path / "people.db")

    return run


@pytest.fixture
def enrolled(call, examples):
    assert call("enroll", "Barack Obama", examples / "obama.jpg", "--consent", "a public figure").exit_code == 0
    return call


def test_enrol_identify_remove(call, examples, tmp_path):
    result = call("enroll", "Barack Obama", examples / "obama.jpg", "--consent", "a public figure")
    assert (result.exit_code, result.stdout) == (ExitCode.DONE, "Barack Obama: 1 of 1 photos enrolled\n")
    result = call("identify", examples / "obama2.jpg")
    assert result.exit_code == ExitCode.DONE
    assert f"{examples / 'obama2.jpg'}: Barack Obama (distance 0." in result.stdout
    result = call("identify", examples / "biden.jpg")
    assert result.exit_code == ExitCode.DIFFERENT
    assert "biden.jpg: unknown (nearest: Barack Obama, 1." in result.stdout
    result = call("identify", examples / "biden.jpg", examples / "obama2.jpg")
    assert result.exit_code == ExitCode.DONE
    result = call("remove", "Barack Obama")
    assert (result.exit_code, result.stdout) == (ExitCode.DONE, "removed: Barack Obama (1 samples)\n")
    result = call("identify", examples / "obama2.jpg")
    assert result.exit_code == ExitCode.DIFFERENT
    assert result.stdout.endswith("obama2.jpg: unknown\n")
    assert b"Barack Obama" not in (tmp_path / "people.db").read_bytes()


def test_the_installed_command(examples, tmp_path):
    """As a user types it, without torch, and with the gallery named by the environment."""
    program = (
        "import sys; sys.argv[0] = 'mien'\n"
        "try: from mien.cli import main; main()\n"
        "finally: assert not {'torch', 'onnx', 'yaml'} & set(sys.modules)"
    )
    environment = {"MIEN_GALLERY": str(tmp_path / "people.db"), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}

    def run(*arguments):
        command = [sys.executable, "-c", program, "gallery", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert run("enroll", "Joe Biden", examples / "biden.jpg", "--consent", "yes").returncode == 0
    done = run("identify", examples / "biden.jpg", "--json")
    assert json.loads(done.stdout)["faces"][0]["known"] == "Joe Biden"
    assert run("list").returncode == 0


def test_json(enrolled, examples):
    result = enrolled("identify", examples / "obama2.jpg", examples / "gone.jpg", "--json", "-k", "3")
    assert result.exit_code == ExitCode.PARTIAL
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == ["photo", "faces", "error"]
    (face,) = first["faces"]
    assert list(face) == ["box", "known", "threshold", "matches"]
    assert face["known"] == "Barack Obama"
    assert face["threshold"] == Mien().contract.threshold.distance
    assert face["matches"] == [{"name": "Barack Obama", "distance": face["matches"][0]["distance"], "sample": 1}]
    assert second["faces"] == []
    assert "does not exist" in second["error"]
    person = json.loads(enrolled("list", "--json").stdout)
    assert list(person) == ["name", "samples", "consent", "enrolled", "expires", "expired"]
    assert (person["samples"], person["expires"], person["expired"]) == (1, None, False)
    stats = json.loads(enrolled("stats", "--json").stdout)
    assert (stats["people"], stats["samples"], stats["pending"]) == (1, 1, False)
    assert stats["model_id"] == Mien().contract.model_id


def test_an_enrolment_says_what_became_of_each_photo(enrolled, examples):
    result = enrolled("enroll", "Barack Obama", examples / "obama2.jpg", examples / "biden.jpg", "--json")
    assert result.exit_code == ExitCode.PARTIAL
    record = json.loads(result.stdout)
    assert (record["name"], record["enrolled"]) == ("Barack Obama", 1)
    assert [photo["enrolled"] for photo in record["photos"]] == [True, False]
    assert "unlike the person's other samples" in record["photos"][1]["problems"][0]
    assert result.stderr.count("biden.jpg") == 1
    assert enrolled("enroll", "Barack Obama", examples / "biden.jpg").exit_code == ExitCode.ERROR
    assert enrolled("enroll", "Somebody", examples / "biden.jpg").exit_code == ExitCode.ERROR


@pytest.fixture
def ended(enrolled, tmp_path):
    """`enrolled`, where the consent has ended since."""
    with Gallery(tmp_path / "people.db") as people:
        people.enroll("Barack Obama", people.embeddings("Barack Obama"), expires=datetime(2020, 1, 1, tzinfo=UTC))
        people.remove_sample("Barack Obama", 2)
    return enrolled


def test_consents_that_end(ended, examples):
    call = ended
    assert "2020-01-01 (over)" in call("list").stdout
    assert call("identify", examples / "obama.jpg").exit_code == ExitCode.DIFFERENT
    assert call("remove", "--expired").stdout == "removed: Barack Obama (1 samples)\n"
    assert call("list", "--json").stdout == ""
    for day in ("soon", "2020-01-01", "0001-01-01"):
        bad = call("enroll", "Ada", examples / "obama.jpg", "--consent", "yes", "--expires", day)
        assert bad.exit_code == ExitCode.USAGE


def test_a_consent_that_ended_is_renewed(ended, examples):
    call = ended
    for photo in ("obama2.jpg", "biden.jpg"):
        refused = call("enroll", "Barack Obama", examples / photo)
        assert refused.exit_code == ExitCode.ERROR
        assert "the consent of Barack Obama ended on 2020-01-01; tell what the person agrees to now" in refused.stderr
    call("enroll", "Barack Obama", examples / "obama2.jpg", "--consent", "renewed, no end")
    person = json.loads(call("list", "--json").stdout)
    assert (person["samples"], person["consent"], person["expires"]) == (2, "renewed, no end", None)
    assert call("identify", examples / "obama.jpg").exit_code == ExitCode.DONE


def test_the_samples_of_a_person_have_numbers_to_remove_them_by(enrolled):
    (line,) = enrolled("list", "Barack Obama", "--json").stdout.splitlines()
    sample = json.loads(line)
    assert list(sample) == ["number", "added", "source"]
    assert (sample["number"], sample["source"]) == (1, "obama.jpg")
    assert "obama.jpg" in enrolled("list", "Barack Obama").stdout
    assert enrolled("remove", "Barack Obama", "--sample", 1).exit_code == ExitCode.DONE
    assert enrolled("list", "Barack Obama", "--json").stdout == ""
    assert enrolled("list", "Nobody").exit_code == ExitCode.ERROR


def test_an_export_that_fails_leaves_no_file(enrolled, tmp_path):
    failed = enrolled("export", "Nobody", "-o", tmp_path / "out.jsonl")
    assert (failed.exit_code, failed.stdout) == (ExitCode.ERROR, "")
    assert not (tmp_path / "out.jsonl").exists()


def test_photos_of_which_none_can_be_used_identify_nobody(enrolled, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    assert enrolled("identify", tmp_path / "bad.jpg").exit_code == ExitCode.ERROR
    assert enrolled("identify", tmp_path / "gone.jpg", tmp_path / "bad.jpg").exit_code == ExitCode.ERROR


def test_a_name_in_two_forms_is_one_person(enrolled, examples):
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    assert enrolled("enroll", decomposed, examples / "biden.jpg", "--consent", "yes").exit_code == ExitCode.DONE
    assert json.loads(enrolled("list", "--json").stdout.splitlines()[1])["name"] == composed
    assert enrolled("enroll", composed, examples / "biden.jpg").exit_code == ExitCode.DONE
    assert enrolled("remove", decomposed).stdout == f"removed: {composed} (2 samples)\n"
    assert enrolled("identify", examples / "biden.jpg").exit_code == ExitCode.DIFFERENT


def test_a_photo_whose_name_is_no_text_is_enrolled(enrolled, examples, tmp_path):
    odd = tmp_path / os.fsdecode(b"odd\xff.jpg")
    odd.write_bytes((examples / "obama2.jpg").read_bytes())
    assert enrolled("enroll", "Barack Obama", odd).exit_code == ExitCode.DONE
    assert json.loads(enrolled("list", "Barack Obama", "--json").stdout.splitlines()[1])["source"] == r"odd\udcff.jpg"


def test_export_and_import(enrolled, cli, tmp_path):
    out = tmp_path / "export.jsonl"
    assert enrolled("export", "Barack Obama", "-o", out).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text() == enrolled("export").stdout
    assert enrolled("export", "-o", out).exit_code == ExitCode.ERROR  # never over a file that is there
    result = cli("gallery", "import", out, "--gallery", tmp_path / "new.db")
    assert (result.exit_code, result.stdout) == (0, "1 people imported\n")
    with Gallery(tmp_path / "new.db") as new, Gallery(tmp_path / "people.db") as old:
        assert new.people() == old.people()
    again = cli("gallery", "import", out, "--gallery", tmp_path / "new.db")
    assert again.exit_code == ExitCode.ERROR
    assert "is enrolled already" in again.stderr
    assert enrolled("import", tmp_path / "gone").exit_code == ExitCode.ERROR
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in enrolled("import", tmp_path / "binary").stderr


def test_removal_says_pending_while_somebody_reads(enrolled, tmp_path):
    writer = Gallery(tmp_path / "people.db")
    writer.enroll("Ada", [0.0] * 128, consent="yes")
    reader = sqlite3.connect(tmp_path / "people.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM people").fetchone()
    result = enrolled("remove", "Ada")
    assert result.exit_code == ExitCode.PARTIAL
    assert result.stderr.startswith("pending: ")
    reader.execute("COMMIT")
    reader.close()
    assert json.loads(enrolled("stats", "--json").stdout)["pending"] is False
    writer.close()


def test_one_sample(enrolled, examples):
    enrolled("enroll", "Barack Obama", examples / "obama2.jpg")
    assert enrolled("remove", "Barack Obama", "--sample", "2").stdout == "removed: nobody (1 samples)\n"
    assert json.loads(enrolled("list", "--json").stdout)["samples"] == 1


@pytest.fixture
def served(enrolled, tmp_path):
    """The service's file beside the gallery, with a challenge of the person; gives whether a name is in it."""
    path = service_file(tmp_path / "people.db")
    with Gallery(tmp_path / "people.db") as people, Store(path) as store:
        policy = Policy.recommended(people.contract)
        ChallengeStore(store, people).begin("Barack Obama", "a door", policy, 1000.0)
    return lambda name="Barack Obama": any(
        name.encode() in file.read_bytes() for file in tmp_path.glob(f"{path.name}*")
    )


def test_who_is_removed_is_not_in_the_services_file(enrolled, served):
    assert served()
    assert enrolled("remove", "Barack Obama", "Nobody").exit_code == ExitCode.ERROR
    assert served()  # nobody was removed
    assert enrolled("remove", "Barack Obama").exit_code == ExitCode.DONE
    assert not served()


def test_whose_consent_has_ended_is_not_in_the_services_file(enrolled, served, tmp_path):
    with Gallery(tmp_path / "people.db") as people:
        people.enroll("Barack Obama", people.embeddings("Barack Obama"), expires=datetime(2020, 1, 1, tzinfo=UTC))
    assert enrolled("remove", "--expired").exit_code == ExitCode.DONE
    assert not served()


def test_who_takes_the_name_during_a_removal_inherits_no_challenge(enrolled, served, monkeypatch):
    finish = Gallery.finish_removals

    def wait(people):
        people.enroll("Barack Obama", [0.0] * 128, consent="somebody else's")
        return finish(people)

    monkeypatch.setattr(Gallery, "finish_removals", wait)
    assert enrolled("remove", "Barack Obama").exit_code == ExitCode.DONE
    assert json.loads(enrolled("list", "--json").stdout)["consent"] == "somebody else's"
    assert not served()


def test_a_removal_where_the_services_file_is_in_use_says_so_and_is_finished_later(enrolled, served, tmp_path):
    with closing(sqlite3.connect(tmp_path / "people.service.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = enrolled("remove", "Barack Obama")
    assert result.exit_code == ExitCode.PARTIAL
    assert result.stdout == "removed: Barack Obama (1 samples)\n"
    assert result.stderr.startswith("pending: ")
    assert served()
    assert json.loads(enrolled("stats", "--json").stdout)["pending"] is False
    assert not served()


@pytest.mark.parametrize("arguments", [[], ["Ada", "--expired"], ["--sample", "1"], ["Ada", "Bo", "--sample", "1"]])
def test_wrong_usage_of_remove(enrolled, arguments):
    assert enrolled("remove", *arguments).exit_code == ExitCode.USAGE


def test_errors_are_one_sentence(enrolled, call, cli, examples, tmp_path, tiny_model):
    (tmp_path / "text").write_text("this is no database at all, whatever its length" * 50)
    for result, message in (
        (cli("gallery", "list", "--gallery", tmp_path / "gone.db"), "does not exist"),
        (cli("gallery", "list", "--gallery", tmp_path / "text"), "not a gallery"),
        (enrolled("remove", "Nobody"), "nobody called 'Nobody'"),
        (enrolled("export", "Nobody"), "nobody called 'Nobody'"),
        (enrolled("identify", examples / "obama.jpg", "--model", tiny_model()), "holds embeddings of mien-s1"),
        (enrolled("enroll", "A", examples / "obama.jpg", "--model", tiny_model()), "holds embeddings of mien-s1"),
    ):
        assert result.exit_code == ExitCode.ERROR
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.stderr


def test_json_is_json_in_any_encoding(enrolled, examples, tmp_path):
    enrolled("enroll", "Zoë 😀", examples / "biden.jpg", "--consent", "grün")
    for words in (["list", "--json"], ["export"], ["identify", examples / "biden.jpg", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "mien", "gallery", *words, "--gallery", tmp_path / "people.db"],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        assert "Zoë 😀" in str([json.loads(line) for line in done.stdout.splitlines()])
