from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from mien.errors import RecipeError
from mien.training import load_recipe, parse_recipe


@pytest.mark.parametrize(
    "name", [entry.name for entry in files("mien.recipes").iterdir() if entry.name.endswith("yaml")]
)
def test_shipped_recipes_are_valid(name: str) -> None:
    assert load_recipe(Path(str(files("mien.recipes") / name))).name == Path(name).stem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 3}, "epoch is unknown; did you mean 'epochs'?"),
        ({"network": {"splitt": 3}}, "network.splitt is unknown; did you mean 'split'?"),
        (
            {"tasks": {"identity": {"teacher": {"row": 1}}}},
            "tasks.identity.teacher.row is unknown; did you mean 'rows'?",
        ),
        ({"qqqq": 3}, "qqqq is unknown; known are: name, card"),
        ({"tasks": {}}, "name at least one task"),
        ({"tasks": {"identity": {}}}, "identity needs a teacher, labels, or both"),
        ({"epochs": 0}, "epochs: input should be greater than or equal to 1"),
        ({"weighting": {"method": "dynamik"}}, "method 'dynamik' is unknown; choose one of: dynamic"),
        ({"network": {"frozen": 9, "split": 8}}, "network.frozen must not be above network.split"),
        ({"sources": []}, "sources"),
        ({"score": []}, "score"),
        ({"score": ["expression_calibration_error"]}, "score 'expression_calibration_error' is unknown; name any of"),
        ({"score": ["others/expression_accuracy"]}, "score 'others/expression_accuracy' is unknown"),
    ],
)
def test_faults_are_named_with_the_way_out(content: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(content | change, "recipe x.yaml")
    assert message in str(caught.value)
    assert "recipe x.yaml is invalid" in str(caught.value)


def test_an_unknown_key_in_a_list_is_placed(content: dict[str, Any]) -> None:
    content["sources"][0]["augmentation"]["rotate"] = 3
    with pytest.raises(RecipeError, match=r"sources\.0\.augmentation\.rotate is unknown; did you mean 'rotation'"):
        parse_recipe(content, "recipe")


def test_an_unknown_layout_lists_the_known_ones(content: dict[str, Any]) -> None:
    content["sources"][0]["layout"] = "fer"
    with pytest.raises(RecipeError, match=r"layout 'fer' is unknown; choose one of: .*fer2013, .*index"):
        parse_recipe(content, "recipe")


def test_unreadable_files(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("epochs: [1")
    for path in (broken, tmp_path / "none.yaml"):
        with pytest.raises(RecipeError, match="cannot be read"):
            load_recipe(path)


def test_changes_by_dotted_path_are_checked_too(content: dict[str, Any]) -> None:
    recipe = parse_recipe(content, "recipe")
    changed = recipe.changed({"weighting.method": "naive", "seed": 3})
    assert (changed.weighting.method, changed.seed) == ("naive", 3)
    assert changed.hash != recipe.hash
    with pytest.raises(RecipeError, match=r"weighting\.methods is unknown; did you mean 'method'"):
        recipe.changed({"weighting.methods": "naive"})
    with pytest.raises(RecipeError, match="no section 'weight'"):
        recipe.changed({"weight.method": "naive"})


def test_changes_reach_into_lists_by_number(content: dict[str, Any]) -> None:
    recipe = parse_recipe(content, "recipe")
    changed = recipe.changed({"sources.0.per_batch": 3, "sources.0.augmentation.flip": 0.25})
    assert (changed.sources[0].per_batch, changed.sources[0].augmentation.flip) == (3, 0.25)
    for path in ("sources.1", "sources.x", "sources.-1", "seed.0"):
        with pytest.raises(RecipeError, match=f"the recipe has no section '{path}' to change"):
            recipe.changed({f"{path}.per_batch": 3})


def test_the_hash_is_of_the_content_not_the_file(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# a comment\n" + yaml.safe_dump(content))
    assert load_recipe(tmp_path / "a.yaml").hash == parse_recipe(content, "recipe").hash


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [(["neutral", "neutral"], "the classes repeat"), (["neutral"], "at least 2"), ([], "at least 2")],
)
def test_classes_are_two_or_more_different_ones(content: dict[str, Any], classes: list[str], sentence: str) -> None:
    recipe = parse_recipe(content, "recipe")
    with pytest.raises(RecipeError, match=sentence):
        recipe.changed({"tasks.expression": {"classes": classes}})
