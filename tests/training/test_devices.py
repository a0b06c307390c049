"""Where a run computes. No GPU is needed: what PyTorch says of one is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from typer.testing import CliRunner

from mien.cli.app import build
from mien.datasets import Augmentation
from mien.errors import RecipeError
from mien.training import load_sources, parse_recipe
from mien.training.devices import choose_device

GPU = torch.cuda.is_available()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A GPU that knows bfloat16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Large Card")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: not including_emulation)
    return monkeypatch


@pytest.mark.parametrize(
    ("wanted", "precision", "device", "bfloat16"),
    [
        ("auto", "bfloat16", "cuda:1", True),
        ("cuda", "float32", "cuda:1", False),
        ("cpu", "bfloat16", "cpu", True),
    ],
)
def test_with_a_card(card: pytest.MonkeyPatch, wanted: str, precision: str, device: str, bfloat16: bool) -> None:
    chosen = choose_device(wanted, precision)
    assert (str(chosen.torch_device), chosen.bfloat16) == (device, bfloat16)


def test_a_card_without_bfloat16_computes_in_float32_and_says_so(card: pytest.MonkeyPatch) -> None:
    card.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: including_emulation)
    chosen = choose_device("auto", "bfloat16")
    assert not chosen.bfloat16
    assert chosen.remarks == (
        "training on Large Card",
        "it has no instructions for bfloat16, so it computes in float32",
    )


@pytest.mark.skipif(GPU, reason="there is a GPU")
def test_without_a_card() -> None:
    assert str(choose_device("auto", "float32").torch_device) == "cpu"
    with pytest.raises(RecipeError, match="device cuda was asked for, but PyTorch finds no GPU; give --device cpu"):
        choose_device("cuda", "float32")


@pytest.mark.skipif(GPU, reason="there is a GPU")
def test_the_command_says_in_a_sentence_that_there_is_no_gpu(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(content))
    arguments = ["train", str(tmp_path / "recipe.yaml"), "--data", f"faces={faces}", "--output", str(tmp_path / "run")]
    answer = CliRunner().invoke(build(), [*arguments, "--device", "cuda"])
    assert answer.exit_code
    assert "device cuda was asked for" in answer.stderr
    assert "reading faces" not in answer.stderr  # which may take minutes


def test_the_device_is_no_part_of_the_model(content: dict[str, Any]) -> None:
    recipe = parse_recipe(content, "recipe")
    assert recipe.device == "auto"
    assert recipe.changed({"device": "cpu"}).hash == recipe.hash
    assert recipe.changed({"seed": 1}).hash != recipe.hash
    with pytest.raises(RecipeError, match="device: input should be 'auto', 'cpu' or 'cuda'"):
        recipe.changed({"device": "tpu"})


def test_sources_move_whole(content: dict[str, Any], faces: Path) -> None:
    """To PyTorch's device without memory, which every build has."""
    content["sources"][0]["validation"] = 0.4
    [source] = load_sources(parse_recipe(content, "recipe"), {"faces": faces}, lambda _: None)
    moved = source.to(torch.device("meta"))
    assert moved.validation is not None
    for photos in (moved.train, moved.validation):
        assert {photos.images.device, photos.identity.device, photos.shares.device} == {torch.device("meta")}
        assert photos.expression.device == photos.unique_expression.device == torch.device("meta")


def test_views_are_made_where_the_photos_are() -> None:
    images = torch.zeros((4, 1, 20, 20), dtype=torch.uint8, device="meta")
    everything = Augmentation(0.5, 10, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.5, 0.5)
    assert everything(images, 16, torch.Generator()).device.type == "meta"


@pytest.mark.skipif(not GPU, reason="there is no GPU")
def test_the_same_views_on_every_device() -> None:
    images = torch.randint(256, (4, 3, 20, 20), dtype=torch.uint8)
    everything = Augmentation(0.5, 10, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.5, 0.5)
    views = [everything(images.to(device), 16, torch.Generator().manual_seed(3)).cpu() for device in ("cpu", "cuda")]
    torch.testing.assert_close(*views, atol=0.05, rtol=0)
