"""Trunks with batch normalisation of their own, from the recipe to the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mien.errors import RecipeError
from mien.networks import BACKBONES, EXPRESSION, IDENTITY
from mien.training import BEST, Trainer, load_sources, load_trained, parse_recipe
from mien.training.assembly import build, empty_network
from mien.training.recipe import Recipe


class Silent:
    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        pass

    def line(self, text: str) -> None:
        pass


@pytest.fixture
def recipe(content: dict[str, Any]) -> Recipe:
    network = {"backbone": "inception_resnet_v1_reduced", "weights": "random", "split": 5, "frozen": 3, "dropout": 0.5}
    weighting = {"method": "dynamic"}
    quick = {"crop_size": 112, "epochs": 1, "average": 0.0, "checkpoint_every": 50}
    changed = {**content, "network": network, "weighting": weighting, **quick}
    return parse_recipe(changed, "the paper's network")


def test_the_papers_network_trains_and_comes_back(recipe: Recipe, faces: Path, tmp_path: Path) -> None:
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    start = build(recipe, sources).network.state_dict()
    Trainer(recipe, sources, tmp_path, Silent()).run()
    loaded, network = load_trained(tmp_path / BEST)
    assert loaded == recipe
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, start[name])}
    assert not any(name.startswith("stem.") for name in moved)
    assert any(name.startswith("trunk.") for name in moved)
    statistics = {name for name in moved if "running" in name}
    assert statistics
    assert all(name.startswith(f"branches.{EXPRESSION}.") for name in statistics)
    assert network.embedding_size == 1792
    with torch.no_grad():
        outputs = network(torch.rand(2, 3, 160, 160) * 255)
    torch.testing.assert_close(outputs[IDENTITY].norm(dim=1), torch.ones(2))


def test_random_weights_get_the_statistics_of_the_photos(recipe: Recipe, faces: Path) -> None:
    network = build(recipe, load_sources(recipe, {"faces": faces}, lambda _: None)).network
    fresh = BACKBONES["inception_resnet_v1_reduced"].build().state_dict()
    same = [
        name
        for name, value in network.stem.state_dict().items()
        if "running" in name and torch.equal(value, fresh[f"stages.{name}"])
    ]
    assert same == []


def test_crops_that_do_not_fit_are_refused(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="iresnet18 takes crops of 112 pixels alone; set crop_size to 112"):
        empty_network(recipe.changed({"network.backbone": "iresnet18", "crop_size": 150}))
