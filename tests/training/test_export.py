from __future__ import annotations

from typing import Any

import pytest
import torch

from mien.alignment import ARCFACE_TEMPLATE, DLIB_TEMPLATE
from mien.contract import Contract
from mien.training import export, parse_recipe
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
