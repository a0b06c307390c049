from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mien.comparison import EXPERIMENTS, load_experiment
from mien.errors import RecipeError

MINE = """
from dataclasses import dataclass
from mien.comparison.experiments.two_digits import TwoDigits

@dataclass(frozen=True)
class Mine(TwoDigits):
    name = "mine"
    depth: int = 3
"""


def test_the_experiments_are_known_by_their_names() -> None:
    assert list(EXPERIMENTS) == ["two-digits", "unlike-tasks", "faces", "toy"]
    assert load_experiment("two-digits", {"noise": 0.25}).noise == 0.25


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("three-digits", {}, "there is no experiment three-digits; give a Python file"),
        ("two-digits", {"nois": 1}, "has no setting nois; did you mean 'noise'"),
        ("two-digits", {"noise": "loud"}, "setting noise of experiment two-digits cannot be 'loud'"),
        ("two-digits", {"_fixed": {}}, "has no setting _fixed"),
        ("nowhere.py", {}, "there is no file nowhere.py"),
    ],
)
def test_what_is_wrong_is_said(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_experiment(name, settings)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine_experiment.py").write_text(MINE)
    found = load_experiment(str(tmp_path / "mine_experiment.py"), {"depth": 5, "epochs": 1})
    assert (found.name, found.depth, found.epochs) == ("mine", 5, 1)


def test_the_bounds_of_a_setting_are_kept(tmp_path: Path) -> None:
    source = MINE.replace("depth: int = 3", "share: Annotated[float, Field(ge=0, le=1)] = 0.5")
    (tmp_path / "bounded.py").write_text(f"from typing import Annotated\nfrom pydantic import Field\n{source}")
    assert load_experiment(str(tmp_path / "bounded.py"), {"share": 0.7}).share == 0.7  # type: ignore[attr-defined]
    with pytest.raises(RecipeError, match=r"share of experiment mine cannot be 7: .* less than or equal to 1"):
        load_experiment(str(tmp_path / "bounded.py"), {"share": 7})


def test_a_file_may_import_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "neighbour_of_mine.py").write_text("DEPTH = 7\n")
    source = MINE.replace("int = 3", "int = DEPTH")
    (tmp_path / "inner" / "with_neighbour.py").write_text(f"from neighbour_of_mine import DEPTH\n{source}")
    assert load_experiment("inner/with_neighbour.py", {}).depth == 7  # type: ignore[attr-defined]


def test_a_missing_module_of_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "lost_experiment.py").write_text(f"import nowhere_to_be_found\n{MINE}")
    with pytest.raises(RecipeError, match=r"lost_experiment\.py cannot be run: No module named 'nowhere_to_be_found'"):
        load_experiment(str(tmp_path / "lost_experiment.py"), {})


def test_a_file_without_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "empty_experiment.py").write_text("x = 1\n")
    with pytest.raises(RecipeError, match="must define exactly one subclass"):
        load_experiment(str(tmp_path / "empty_experiment.py"), {})
