from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien import Gallery, Mien
from mien.cli.exits import ExitCode
from mien.gallery import Thresholds


def test_the_same_person(cli, examples):
    result = cli("verify", examples / "obama.jpg", examples / "obama2.jpg")
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.startswith("the same person: distance 0.")


def test_different_people(cli, examples):
    result = cli("verify", examples / "obama.jpg", examples / "biden.jpg")
    assert result.exit_code == ExitCode.DIFFERENT
    assert result.stdout.startswith("different people: distance 1.")


def test_json_fields_are_stable(cli, examples):
    a, b = examples / "obama.jpg", examples / "biden.jpg"
    record = json.loads(cli("verify", a, b, "--json", "--threshold", "2").stdout)
    assert list(record) == ["same", "distance", "threshold", "model", "a", "b"]
    assert list(record["a"]) == ["photo", "faces", "face"]
    assert record["same"] is True
    assert record["threshold"] == 2
    assert record["b"]["photo"] == str(b)
    expected = Mien().verify(a, b)
    assert record["distance"] == pytest.approx(expected.distance, abs=1e-5)
    np.testing.assert_allclose(record["a"]["face"]["embedding"], expected.face_a.embedding, atol=1e-6)


def test_several_faces_are_told(cli, examples, tmp_path):
    with Image.open(examples / "obama.jpg") as one, Image.open(examples / "biden.jpg") as other:
        both = Image.new("RGB", (one.width + other.width, one.height))
        both.paste(one, (0, 0))
        both.paste(other, (one.width, 0))
    both.save(tmp_path / "both.png")
    result = cli("verify", tmp_path / "both.png", examples / "obama2.jpg")
    assert result.exit_code == ExitCode.DONE
    assert "both.png shows 2 faces; the largest was compared" in result.stderr


def test_photos_that_cannot_be_compared(cli, examples, tmp_path):
    Image.new("RGB", (90, 90)).save(tmp_path / "black.png")
    result = cli("verify", examples / "obama.jpg", tmp_path / "black.png")
    assert result.exit_code == ExitCode.ERROR
    assert "no face was found in" in result.stderr
    assert "black.png" in result.stderr
    assert cli("verify", examples / "obama.jpg", tmp_path / "gone.png").exit_code == ExitCode.ERROR


def test_the_threshold_of_a_gallery(cli, examples, tmp_path):
    a, b, path = examples / "obama.jpg", examples / "obama2.jpg", tmp_path / "people.db"
    contract = Mien().contract
    with Gallery(path, contract) as gallery:
        assert cli("verify", a, b, "--gallery", path).exit_code == ExitCode.DONE
        gallery.thresholds = replace(Thresholds.of_model(contract), verification=0.2)
    result = cli("verify", a, b, "--gallery", path, "--json")
    assert result.exit_code == ExitCode.DIFFERENT
    assert json.loads(result.stdout)["threshold"] == 0.2
    assert cli("verify", a, b, "--gallery", path, "--threshold", 1).exit_code == ExitCode.USAGE
    assert cli("verify", a, b, "--gallery", tmp_path / "gone.db").exit_code == ExitCode.ERROR
