from __future__ import annotations

from typing import Any

import pytest
import torch

from mien.alignment import ARCFACE_TEMPLATE, DLIB_TEMPLATE
from mien.contract import Contract
from mien.training import choose_threshold, export, load_sources, parse_recipe
from mien.training.assembly import empty_network


@pytest.mark.parametrize(
    ("alignment", "template", "size", "weights"),
    [("dlib", DLIB_TEMPLATE, 150, None), ("arcface", ARCFACE_TEMPLATE, 112, (1.0,) * 5)],
)
def test_the_model_file_says_how_its_crops_are_aligned(
    content: dict[str, Any], tmp_path, alignment, template, size, weights
) -> None:
    torch.manual_seed(0)
    content |= {"crop_size": 120, "alignment": alignment, "tasks": {"expression": content["tasks"]["expression"]}}
    recipe = parse_recipe(content, "recipe")
    contract = export(recipe, empty_network(recipe).eval(), tmp_path / "model.onnx", None)
    assert contract.template[0] == pytest.approx([x * 120 / size for x in template[0]])
    assert contract.landmark_weights == weights
    assert Contract.from_json(contract.to_json()) == contract


def test_other_weights_are_another_model(content: dict[str, Any], tmp_path) -> None:
    """Galleries are pinned to the id: their embeddings mean nothing to other weights, whatever the recipe."""
    content |= {"tasks": {"expression": content["tasks"]["expression"]}}
    recipe = parse_recipe(content, "recipe")
    network = empty_network(recipe).eval()
    ids = [export(recipe, network, tmp_path / "model.onnx", None).model_id for _ in range(2)]
    with torch.no_grad():
        next(iter(network.branches.parameters())).view(-1)[0] += 1e-3
    ids.append(export(recipe, network, tmp_path / "model.onnx", None).model_id)
    assert ids[0] == ids[1] != ids[2]
    assert all(one.startswith("small-") for one in ids)


def test_a_threshold_is_chosen_on_few_people(content: dict[str, Any], faces) -> None:
    content["sources"][0]["validation"] = 0.4
    recipe = parse_recipe(content, "recipe")
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    table = choose_threshold(recipe, empty_network(recipe).eval(), sources, 0.1)
    assert table.default.far == 0.1
    assert "people kept for validation" in table.default.chosen_on
    assert 0 < table.default.distance < 2  # of embeddings at length 1
