"""A method of a user's own, from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mien.weighting import WeightingError, build_weighting, find_method

MINE = '''
from mien.weighting import LossWeighting, ScalarWeighting


class Largest(LossWeighting):
    """All weight to the largest loss."""

    def _weigh(self, losses):
        return (losses.levels == losses.levels[losses.present].max()) * losses.present.to(losses.levels)


class Greedy(Largest):
    needs_features = needs_shared_parameters = True

    def __init__(self, tasks, features, shared_parameters, strength=2.0):
        super().__init__(tasks)
        self.given = features, shared_parameters, strength


class Demanding(Largest):
    def __init__(self, tasks, price):
        super().__init__(tasks)


class NoMethod: ...
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def test_a_class_of_a_file_is_a_method(file: Path) -> None:
    weighting = build_weighting(f"{file}:Largest", ["a", "b"], 4)
    weighting.backward({"a": torch.tensor(1.0, requires_grad=True), "b": torch.tensor(2.0, requires_grad=True)})
    assert weighting.weights == {"a": 0, "b": 1}
    entry = find_method(f"{file}:Largest")
    assert (entry.summary, entry.needs, entry.family) == ("All weight to the largest loss.", (), "own")


def test_it_gets_what_it_asks_for(file: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    weighting = build_weighting(f"{file}:Greedy", ["a", "b"], (4, 2), shared_parameters=[parameter])
    assert weighting.given == ((4, 2), (parameter,), 2.0)
    assert find_method(f"{file}:Greedy").needs == ("shared features", "shared parameters")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Demanding", "wants price; only tasks, features, weights, shared_parameters can be given"),
        ("NoMethod", "names no subclass of mien.weighting.TaskWeighting"),
        ("Absent", "names no subclass"),
    ],
)
def test_what_is_wrong_is_said(file: Path, name: str, message: str) -> None:
    with pytest.raises(WeightingError, match=message):
        find_method(f"{file}:{name}")


def test_a_file_that_is_not_there_or_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(WeightingError, match=r"no file nowhere\.py"):
        find_method("nowhere.py:Mine")
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found")
    with pytest.raises(WeightingError, match=r"broken\.py cannot be run: ModuleNotFoundError"):
        find_method(f"{tmp_path}/broken.py:Mine")
