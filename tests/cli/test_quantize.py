from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
from PIL import Image

from mien.cli.exits import ExitCode
from mien.runtime import Model


@pytest.fixture
def crops(tmp_path):
    """Twenty photos each of five people: a colour and a little noise."""
    rng = np.random.default_rng(0)
    for person in range(5):
        folder = tmp_path / "people" / f"person {person}"
        folder.mkdir(parents=True)
        colour = rng.integers(60, 200, 3)
        for photo in range(20):
            pixels = colour + rng.integers(-40, 41, (8, 8, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{photo}.png")
    return tmp_path / "people"


@pytest.fixture
def quantize(cli, tiny_model, tmp_path, crops):
    def run(*arguments):
        return cli(
            "quantize", tmp_path / "int8.onnx", "--model", tiny_model(), "--photos", crops, "--no-detect", *arguments
        )

    return run


def test_a_model_with_an_id_of_its_own_and_its_thresholds_carried_over(quantize, tmp_path):
    result = quantize("--keep-float", "", "--limit", "50")
    assert result.exit_code == ExitCode.DONE, result.stderr
    contract = Model(tmp_path / "int8.onnx").contract
    assert contract.model_id.startswith("tiny-int8-")
    assert f"model {contract.model_id}" in result.stderr
    assert "threshold 10 for FAR 0.01, chosen on carried over from tiny-1" in result.stderr
    assert "embedding differs by" in result.stderr
    assert "on the 50 crops" in result.stderr
    assert "on 50 crops (people); layers in float: none." in contract.provenance  # no path of this machine


def test_thresholds_are_chosen_anew_on_people(quantize, crops, tmp_path):
    result = quantize("--keep-float", "", "--people", crops)
    assert result.exit_code == ExitCode.DONE, result.stderr
    table = Model(tmp_path / "int8.onnx").contract.thresholds
    assert table.default_far == 0.01
    assert table.default.impostor_pairs == 10 * 20 * 20
    assert table.default.chosen_on.startswith("people: 5 people, 4000 impostor pairs, ")


def test_a_layer_that_is_not_there_is_named(quantize, tmp_path):
    result = quantize("--keep-float", "nothing")
    assert result.exit_code == ExitCode.ERROR
    assert "has no layer nothing; give first, last, or some of: " in result.stderr
    assert not (tmp_path / "int8.onnx").exists()


def test_photos_without_a_face_cannot_calibrate(cli, tiny_model, tmp_path, crops):
    result = cli("quantize", tmp_path / "int8.onnx", "--model", tiny_model(), "--photos", crops / "person 0")
    assert result.exit_code == ExitCode.ERROR
    assert "no face was found to calibrate on" in result.stderr
