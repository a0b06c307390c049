"""People divided by a list: who is trained on, who is validated on, and who is never looked at."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.errors import DataError, RecipeError
from mien.training import Recipe, load_sources, parse_recipe


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Six people with three photos each; those of the last two are no photos at all."""
    noise = np.random.default_rng(1)
    rows = [["path", "identity", "expression"]]
    for person in range(6):
        for take in range(3):
            path = tmp_path / f"{person}-{take}.png"
            if person < 4:
                Image.fromarray(noise.integers(0, 256, (20, 20, 3), np.uint8)).save(path)
            else:
                path.write_bytes(b"must not be read")
            rows.append([path.name, f"person {person}", "happiness" if take % 2 else "neutral"])
    write(tmp_path / "labels.csv", rows)
    return tmp_path


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def recipe_with(content: dict[str, Any], path: Path, groups: dict[str, str], **more: Any) -> Recipe:
    write(path, [["identity", "group"], *([person, group] for person, group in groups.items())])
    content["sources"][0]["groups"] = {"file": str(path), **more}
    return parse_recipe(content, "recipe")


GROUPS = {f"person {n}": "train" if n < 3 else "choose" if n == 3 else "report" for n in range(6)}


def test_only_the_named_groups_are_read(content: dict[str, Any], people: Path) -> None:
    told: list[str] = []
    [source] = load_sources(recipe_with(content, people / "groups.csv", GROUPS), {"faces": people}, told.append)
    assert source.train.people == ["person 0", "person 1", "person 2"]
    assert source.validation is not None
    assert source.validation.people == ["person 3"]
    assert not any("skipped" in line for line in told)  # the photos of the others would be


def test_a_group_to_validate_on_may_be_left_out(content: dict[str, Any], people: Path) -> None:
    recipe = recipe_with(content, people / "groups.csv", GROUPS, validation=None)
    assert load_sources(recipe, {"faces": people}, lambda _: None)[0].validation is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"person 9": "train"}, r"lists person 9, of whom .* has no photo; give the whole data set, or set"),
        ({"person 0": None}, r"does not list person 0 of .*; add them to one of its groups"),
        ({"person 3": "report"}, r"nobody in the group 'choose' of .*; its groups are: report, train"),
        ({"person 2": ""}, r"groups\.csv:4 has no person, no group"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(
    content: dict[str, Any], people: Path, change: dict[str, str | None], sentence: str
) -> None:
    groups = {person: group for person, group in (GROUPS | change).items() if group is not None}
    with pytest.raises(DataError, match=sentence):
        load_sources(recipe_with(content, people / "groups.csv", groups), {"faces": people}, lambda _: None)


def test_people_without_photos_are_told_where_that_is_allowed(content: dict[str, Any], people: Path) -> None:
    told: list[str] = []
    recipe = recipe_with(content, people / "groups.csv", GROUPS | {"person 9": "train"}, complete=False)
    load_sources(recipe, {"faces": people}, told.append)
    assert any("lists person 9, of whom" in line for line in told)


def test_photos_without_a_name_cannot_be_placed(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    recipe = recipe_with(content, tmp_path / "groups.csv", {f"person {n}": "train" for n in range(8)})
    with pytest.raises(DataError, match=r"0-2\.png of faces.* names no person"):
        load_sources(recipe, {"faces": faces}, lambda _: None)


def test_there_is_one_rule_of_division(content: dict[str, Any], tmp_path: Path) -> None:
    content["sources"][0]["validation"] = 0.1
    with pytest.raises(RecipeError, match="groups say who is validated on; leave validation out"):
        recipe_with(content, tmp_path / "groups.csv", GROUPS)


def test_a_list_that_is_not_there_is_named(content: dict[str, Any], people: Path) -> None:
    content["sources"][0]["groups"] = {"file": "nobody.csv"}
    with pytest.raises(DataError, match=r"nobody\.csv cannot be read"):
        load_sources(parse_recipe(content, "recipe"), {"faces": people}, lambda _: None)


def test_what_is_held_out_is_not_validated_on_either(content: dict[str, Any], people: Path) -> None:
    """A choice on photos that repeat in a test would be a choice on the test."""
    rows = [["path", "identity", "expression", "split"]]
    rows += [[f"{n}-{take}.png", f"person {n}", "neutral", "train"] for n in range(4) for take in range(3)]
    (people / "copy.png").write_bytes((people / "3-1.png").read_bytes())
    rows.append(["copy.png", "person 3", "happiness", "test"])
    write(people / "labels.csv", rows)
    groups = {person: group for person, group in GROUPS.items() if group != "report"}
    recipe = recipe_with(content, people / "groups.csv", groups).changed(
        {"sources.0.part": "train", "sources.0.held_out": ["test"]}
    )
    [source] = load_sources(recipe, {"faces": people}, lambda _: None)
    assert source.validation is not None
    assert source.validation.names == ["3-0.png", "3-2.png"]
