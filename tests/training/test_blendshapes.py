"""A second target of the expression branch, which only training knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien.errors import DataError, RecipeError
from mien.training import BEST, Trainer, load_sources, load_trained, parse_recipe
from mien.training.blendshapes import BLENDSHAPES, BlendshapeHead, read_blendshapes


class Silent:
    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        pass

    def line(self, text: str) -> None:
        pass


def write(path: Path, names: list[str], columns: int = BLENDSHAPES) -> np.ndarray:
    values = np.random.default_rng(0).uniform(size=(len(names), columns)).astype(np.float32)
    np.savez(path, names=np.array(names), values=values)
    return values


def test_rows_are_found_by_name_and_missing_ones_are_unknown(tmp_path: Path) -> None:
    values = write(tmp_path / "b.npz", ["a.jpg", "b.jpg"])
    found = read_blendshapes(tmp_path / "b.npz", ["b.jpg", "c.jpg", "a.jpg"])
    np.testing.assert_array_equal(found[[0, 2]], values[[1, 0]])
    assert found[1].isnan().all()


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "few.npz", ["a.jpg"], 51)
    write(tmp_path / "other.npz", ["x.jpg"])
    np.savez(tmp_path / "empty.npz", nothing=1)
    (tmp_path / "broken.npz").write_bytes(b"no array")
    for name, sentence in {
        "none": "cannot be read",
        "broken": "cannot be read",
        "empty": "cannot be read",
        "few": r"values \(1, 51\) for 1 names; give \(N, 52\)",
        "other": "names none of the photos; it should name them like a.jpg",
    }.items():
        with pytest.raises(DataError, match=sentence):
            read_blendshapes(tmp_path / f"{name}.npz", ["a.jpg"])


def test_the_error_is_that_of_the_known_rows() -> None:
    head, pooled, targets = BlendshapeHead(4), torch.rand(3, 4), torch.rand(3, BLENDSHAPES)
    targets[1] = torch.nan
    rows = [0, 2]
    expected = torch.nn.functional.mse_loss(head.linear(pooled[rows]), targets[rows])
    torch.testing.assert_close(head.loss(pooled, targets), expected)
    head.loss(pooled, targets).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in head.parameters())
    assert head.loss(pooled, torch.full_like(targets, torch.nan)) == 0


@pytest.mark.parametrize("mixup", [0.0, 0.3])
def test_they_are_taught_and_the_model_does_not_know(
    content: dict[str, Any], faces: Path, tmp_path: Path, mixup: float
) -> None:
    write(tmp_path / "b.npz", [f"{person}-{take}.png" for person in range(8) for take in (0, 1)])
    content |= {"epochs": 1, "tasks": {"expression": content["tasks"]["expression"] | {"mixup": mixup}}}
    content["sources"][0]["blendshapes"] = str(tmp_path / "b.npz")
    content["tasks"]["expression"]["blendshapes"] = 2.0
    recipe = parse_recipe(content, "recipe")
    run = Trainer(recipe, load_sources(recipe, {"faces": faces}, lambda _: None), tmp_path / "run", Silent())
    task = run.parts.tasks["expression"]
    before = task.blendshapes.linear.weight.clone()
    batch = run.batches.batch(0)
    with_them, _ = run._losses(batch)
    run.run()
    assert not torch.equal(task.blendshapes.linear.weight, before)
    assert with_them["expression"].isfinite()
    _, network = load_trained(tmp_path / "run" / BEST)
    assert not [name for name in network.state_dict() if "blendshapes" in name]


def test_a_weight_without_a_file_is_refused(content: dict[str, Any]) -> None:
    content["tasks"]["expression"]["blendshapes"] = 1.0
    with pytest.raises(RecipeError, match=r"blendshapes needs a source with blendshapes"):
        parse_recipe(content, "recipe")
