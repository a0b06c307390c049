"""Probabilities scaled on votes: the least cross-entropy, against SciPy, and into the model file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax
from typer.testing import CliRunner

from mien.cli.app import build
from mien.datasets import plain_view
from mien.errors import DataError
from mien.networks import EXPRESSION
from mien.runtime import Model
from mien.training import (
    Calibration,
    Source,
    calibrate,
    can_calibrate,
    export,
    fit_scaling,
    load_sources,
    parse_recipe,
)
from mien.training.assembly import empty_network
from mien.training.checkpoint import save_checkpoint


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_temperature_that_is_known_is_found(temperature: float) -> None:
    logits = torch.randn(200, 5, generator=torch.Generator().manual_seed(1)) * 3
    scaling = fit_scaling(logits, (logits / temperature).softmax(dim=1))
    assert float(scaling.temperature) == pytest.approx(temperature, rel=1e-4)
    assert scaling.bias.tolist() == [0] * 5


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([Calibration.TEMPERATURE, Calibration.BIAS]))
def test_no_other_scaling_is_better(seed: int, method: Calibration) -> None:
    """SciPy, by a method without gradients of ours, on the cross-entropy written down once more."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, 60)
    logits = random.normal(size=(60, 3)) + 1.5 * np.eye(3)[labels]
    shares = 0.7 * np.eye(3)[labels] + 0.3 * random.dirichlet([1, 1, 1], 60)
    scaling = fit_scaling(torch.from_numpy(logits), torch.from_numpy(shares), method)

    def loss(values: np.ndarray) -> float:
        bias = values[1:] if method is Calibration.BIAS else np.zeros(3)
        entropy = -(shares * log_softmax(logits * values[0] + bias, axis=1)).sum(axis=1).mean()
        return float(entropy + (bias**2).sum() / 120)

    ours = loss(np.array([1 / float(scaling.temperature), *scaling.bias.tolist()]))
    assert ours <= minimize(loss, np.array([1.0, 0, 0, 0]), method="Powell").fun + 1e-6


def test_a_class_without_votes_has_a_finite_bias() -> None:
    logits = torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    shares = torch.nn.functional.one_hot(logits[:, :2].argmax(dim=1), 3).float()
    bias = fit_scaling(logits, shares, Calibration.BIAS).bias
    assert torch.isfinite(bias).all()
    assert bias[2] == bias.min()


def test_a_network_that_is_always_wrong_cannot_be_calibrated() -> None:
    logits = torch.eye(3).repeat(10, 1)
    with pytest.raises(DataError, match="at odds with the validation photos"):
        fit_scaling(logits, (-5 * logits).softmax(dim=1))


def _validated(content: dict[str, Any], faces: Path) -> Source:
    [source] = load_sources(parse_recipe(content, "recipe"), {"faces": faces}, lambda _: None)
    return replace(source, validation=source.train)


def test_the_model_file_answers_with_calibrated_probabilities(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    content |= {"tasks": {"expression": content["tasks"]["expression"]}}
    recipe = parse_recipe(content, "recipe")
    source = _validated(content, faces)
    network = empty_network(recipe).eval()
    scaled, report = calibrate(recipe, network, [source], Calibration.BIAS)
    crops = plain_view(source.train.images[:4], recipe.crop_size).round()
    with torch.no_grad():
        logits = network(crops)[EXPRESSION]
    wanted = (logits / report.temperature + torch.tensor(report.bias)).softmax(dim=1)
    assert not torch.allclose(wanted, logits.softmax(dim=1), atol=1e-3)
    export(recipe, scaled, tmp_path / "model.onnx", None)
    model = Model(tmp_path / "model.onnx")
    answers = model.run(crops.permute(0, 2, 3, 1).to(torch.uint8).numpy())
    np.testing.assert_allclose(answers["expression"], wanted.numpy(), atol=1e-4)
    plain = export(recipe, network, tmp_path / "plain.onnx", None)
    assert plain.model_id != model.contract.model_id


def test_calibration_reports_each_source(content: dict[str, Any], faces: Path) -> None:
    torch.manual_seed(3)  # a network that is not at odds with the photos
    content |= {"tasks": {"expression": content["tasks"]["expression"]}}
    recipe = parse_recipe(content, "recipe")
    source = _validated(content, faces)
    network = empty_network(recipe).eval()
    _, report = calibrate(recipe, network, [source, replace(source, validation=None)])
    assert report.photos == int((source.train.expression >= 0).sum()) == 24
    assert report.before.keys() == report.after.keys() == {"faces"}
    assert "fitted on 24 photos; calibration error faces" in str(report)


def test_without_labelled_photos_there_is_nothing_to_calibrate_on(content: dict[str, Any], faces: Path) -> None:
    recipe = parse_recipe(content, "recipe")
    source = _validated(content, faces)
    assert can_calibrate([source])
    silent = replace(source, recipe=source.recipe.model_copy(update={"learn": ("identity",)}))
    for without in ([], [silent], [replace(source, validation=None)]):
        assert not can_calibrate(without)
        with pytest.raises(DataError, match="no source keeps labelled photos"):
            calibrate(recipe, empty_network(recipe).eval(), without)


def test_the_command_calibrates_where_it_gets_data(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    content |= {"tasks": {"expression": content["tasks"]["expression"]}}
    content["sources"][0]["validation"] = 0.6
    recipe = parse_recipe(content, "recipe")
    state = {"recipe": recipe.model_dump_json(), "network": empty_network(recipe).state_dict()}
    save_checkpoint(state, tmp_path / "best.pt")
    arguments = ["export", str(tmp_path / "best.pt"), str(tmp_path / "model.onnx")]
    given = ["--data", f"faces={faces}"]
    said = {}
    for name, more in {"plain": [], "data": given, "none": [*given, "--calibrate", "none"]}.items():
        answer = CliRunner().invoke(build(), [*arguments, *more])
        assert answer.exit_code == 0, answer.stderr
        said[name] = answer.stderr
    assert "expressions are calibrated: temperature" in said["data"]
    assert "expressions are not calibrated" in said["plain"]
    assert "expressions are not calibrated" in said["none"]
    without = CliRunner().invoke(build(), [*arguments, "--calibrate", "bias"])
    assert "give --data faces=FOLDER" in without.stderr
