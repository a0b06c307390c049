from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mien.comparison import SINGLE, Comparison, Plan, Run, compare, load_experiment
from mien.comparison.comparison import TUNING_SEEDS, fingerprint
from mien.comparison.experiments.faces import FacesExperiment
from mien.comparison.experiments.toy import Toy
from mien.comparison.experiments.two_digits import LEFT, RIGHT, TwoDigits
from mien.comparison.records import RunFolder

MINE = """
from dataclasses import dataclass
from mien.comparison.experiments.toy import Toy

@dataclass(frozen=True)
class Mine(Toy):
    name = "mine"

    def losses(self, network, batch, tasks):
        losses, shared = super().losses(network, batch, tasks)
        return {task: 1.0 * loss for task, loss in losses.items()}, shared

    def data_digest(self):
        return "first"
"""


class Watcher:
    """Remembers what was made; may interrupt."""

    def __init__(self, stop_after: int = 0) -> None:
        self.expected = 0
        self.plans: list[Plan] = []
        self.stop_after = stop_after

    def start(self, runs: int) -> None:
        self.expected = runs

    def made(self, plan: Plan, run: Run) -> None:
        self.plans.append(plan)
        if len(self.plans) == self.stop_after:
            raise KeyboardInterrupt


def small(problem: TwoDigits, folder: Path, watcher: Watcher | None = None, seeds: int = 2) -> Comparison:
    return compare(problem, ["equal", "dynamic"], seeds, folder, watcher or Watcher())


def test_all_runs_are_made_and_counted(digits: TwoDigits, tmp_path: Path) -> None:
    watcher = Watcher()
    comparison = small(digits, tmp_path, watcher)
    assert (
        watcher.expected == len(watcher.plans) == 4 * 2 * 3 + 4 * 2
    )  # grid of two in three seeds, two seeds; two methods, two tasks
    assert list(comparison.runs) == [SINGLE + LEFT, SINGLE + RIGHT, "equal", "dynamic"]
    assert comparison.methods == ["equal", "dynamic"]
    assert all([run.plan.seed for run in runs] == [0, 1] for runs in comparison.runs.values())


def test_the_learning_rate_is_that_of_the_best_validation(digits: TwoDigits, tmp_path: Path) -> None:
    watcher = Watcher()
    comparison = small(digits, tmp_path, watcher)
    folder_runs = {plan for plan in watcher.plans if plan.seed in TUNING_SEEDS}
    assert len(folder_runs) == 24
    kept = RunFolder(tmp_path, fingerprint(digits))
    for entrant, rate in comparison.learning_rates.items():
        scores = {
            other: sum(kept.load(Plan(entrant, other, seed)).best.score for seed in TUNING_SEEDS)
            for other in digits.learning_rates
        }
        assert scores[rate] == max(scores.values())
        assert all(run.plan.learning_rate == rate for run in comparison.runs[entrant])


def test_an_interrupted_comparison_goes_on_and_repeats_nothing(digits: TwoDigits, tmp_path: Path) -> None:
    whole = small(digits, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        small(digits, tmp_path / "halves", Watcher(stop_after=9))
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "halves").iterdir()}
    assert len(files) == 9
    again = small(digits, tmp_path / "halves")
    assert {name: (tmp_path / "halves" / name).stat().st_mtime_ns for name in files} == files
    for entrant, runs in whole.runs.items():
        assert [run.epochs for run in runs] == [run.epochs for run in again.runs[entrant]]


def test_other_settings_are_not_mixed_in_and_half_a_file_is_made_anew(digits: TwoDigits, tmp_path: Path) -> None:
    small(digits, tmp_path, seeds=1)
    watcher = Watcher()
    (tmp_path / Plan("equal", 1e-2, TUNING_SEEDS[0]).file_name).write_text('{"fingerprint": ')
    small(digits, tmp_path, watcher, seeds=1)
    other = replace(digits, noise=0.5)
    other.prepare()
    runs = small(other, tmp_path, seeds=1).runs["equal"]
    assert runs[0].epochs != small(digits, tmp_path, seeds=1).runs["equal"][0].epochs


def test_runs_of_an_experiment_whose_file_or_data_changed_are_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    compare(load_experiment(str(file), {"steps": 3}), ["equal"], 1, tmp_path / "runs", Watcher())
    for changed in (MINE, MINE.replace("1.0", "2.0"), MINE.replace('"first"', '"second"')):
        file.write_text(changed)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
        compare(load_experiment(str(file), {"steps": 3}), ["equal"], 1, tmp_path / "runs", Watcher())
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == before
        assert kept == (changed == MINE), changed


def test_the_faces_are_told_by_photos_and_labels() -> None:
    faces = FacesExperiment()
    digests = set()
    for photos in ([("a", (0, 1))], [("b", (0, 1))], [("a", (1, 1))], [("a", (0, -1))]):
        faces._photos[:] = photos
        digests.add(fingerprint(faces))
    assert len(digests) == 4


def test_starting_points_limit_the_seeds_and_are_not_random(tmp_path: Path) -> None:
    comparison = compare(Toy(steps=3), ["equal"], 50, tmp_path, Watcher())
    assert comparison.seeds == 5
    assert not comparison.random
    assert list(comparison.runs) == ["equal"]
