from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mien.comparison import SINGLE, Comparison, Plan, Run, compare, load_experiment
from mien.comparison.comparison import TUNING_SEEDS, fingerprint
from mien.comparison.experiments.faces import FacesExperiment
from mien.comparison.experiments.toy import Toy
from mien.comparison.experiments.two_digits import LEFT, RIGHT, TwoDigits
from mien.comparison.records import RunFolder
from mien.errors import RecipeError

MINE = """
from dataclasses import dataclass
from pathlib import Path
from mien.comparison.experiments.toy import Toy

READ = []

@dataclass(frozen=True)
class Mine(Toy):
    name = "mine"

    def losses(self, network, batch, tasks):
        losses, shared = super().losses(network, batch, tasks)
        return {task: 1.0 * loss for task, loss in losses.items()}, shared

    def prepare(self):
        READ.append((Path(__file__).parent / "mine.txt").read_text())

    def data_digest(self):
        return READ[-1]  # fails before prepare()
"""

WITH_DATA = """
from dataclasses import dataclass
from pathlib import Path
from mien.comparison.experiments.toy import Toy

@dataclass(frozen=True)
class WithData(Toy):
    name = "with-data"
    data: Path | None = None
"""


class Watcher:
    """Remembers what was made; may interrupt."""

    def __init__(self, stop_after: int = 0) -> None:
        self.expected = 0
        self.plans: list[Plan] = []
        self.stop_after = stop_after

    def start(self, runs: int) -> None:
        self.expected = runs

    def more(self, runs: int) -> None:
        self.expected += runs

    def made(self, plan: Plan, run: Run) -> None:
        self.plans.append(plan)
        if len(self.plans) == self.stop_after:
            raise KeyboardInterrupt


def small(problem: TwoDigits, folder: Path, watcher: Watcher | None = None, seeds: int = 2) -> Comparison:
    return compare(problem, ["equal", "dynamic"], seeds, folder, watcher or Watcher())


def test_all_runs_are_made_and_counted(digits: TwoDigits, tmp_path: Path) -> None:
    watcher = Watcher()
    comparison = small(digits, tmp_path, watcher)
    # Of one learning rate nothing is chosen, but the tasks alone are what the others are measured by.
    assert watcher.expected == len(watcher.plans) == 2 * 3 + 4 * 2
    assert list(comparison.runs) == [SINGLE + LEFT, SINGLE + RIGHT, "equal", "dynamic"]
    assert comparison.methods == ["equal", "dynamic"]
    assert all([run.plan.seed for run in runs] == [0, 1] for runs in comparison.runs.values())


def test_the_learning_rate_is_that_of_the_best_validation(digits: TwoDigits, tmp_path: Path) -> None:
    watcher = Watcher()
    digits = replace(digits, epochs=1, pairs=100, learning_rates=(1e-3, 1e-2))
    comparison = small(digits, tmp_path, watcher, seeds=1)
    kept = RunFolder(tmp_path, fingerprint(digits))
    widened = sum(len(choice.scores) - 2 for choice in comparison.choices.values())
    assert watcher.expected == len(watcher.plans) == (4 * 2 + widened) * 3 + 4
    for entrant, choice in comparison.choices.items():
        tried = sorted({plan.learning_rate for plan in watcher.plans if plan.method == entrant and plan.seed > 2})
        assert {*digits.learning_rates} < {*tried}  # an edge of two is an edge
        runs = {rate: [kept.load(Plan(entrant, rate, seed)) for seed in TUNING_SEEDS] for rate in tried}
        scores = {rate: sum(_reached(run, comparison) for run in found) for rate, found in runs.items()}
        assert scores[choice.best.rate] == max(scores.values())
        assert tried[0] < choice.best.rate < tried[-1] or choice.edge
        assert all(run.plan.learning_rate == choice.best.rate for run in comparison.runs[entrant])


def _reached(run: Run, comparison: Comparison) -> float:
    """The mean relative gain over the tasks alone in their tuning runs, or the figure of a task alone."""
    if run.plan.method.startswith(SINGLE):
        return max(sum(epoch.validation.values()) for epoch in run.epochs)
    alone = {}
    for task in comparison.tasks:
        best = comparison.choices[SINGLE + task].best
        found = [each for each in comparison.tuning[SINGLE + task] if each.plan.learning_rate == best.rate]
        alone[task] = sum(max(epoch.validation[task] for epoch in each.epochs) for each in found) / len(found)
    gains = [
        sum((epoch.validation[task] - alone[task]) / alone[task] for task in alone) / len(alone) for epoch in run.epochs
    ]
    return max(gains)


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
    (tmp_path / Plan(SINGLE + LEFT, 1e-2, TUNING_SEEDS[0]).file_name).write_text('{"fingerprint": ')
    small(digits, tmp_path, watcher, seeds=1)
    other = replace(digits, noise=0.5)
    other.prepare()
    runs = small(other, tmp_path, seeds=1).runs["equal"]
    assert runs[0].epochs != small(digits, tmp_path, seeds=1).runs["equal"][0].epochs


def test_runs_of_an_experiment_whose_file_or_data_changed_are_made_anew(tmp_path: Path) -> None:
    file, data = tmp_path / "mine.py", tmp_path / "mine.txt"
    file.write_text(MINE)
    data.write_text("first")
    compare(load_experiment(str(file), {"steps": 3}), ["equal"], 1, tmp_path / "runs", Watcher())
    other = MINE.replace("1.0", "2.0")
    for source, content, kept in ((MINE, "first", True), (other, "first", False), (other, "second", False)):
        file.write_text(source)
        data.write_text(content)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
        compare(load_experiment(str(file), {"steps": 3}), ["equal"], 1, tmp_path / "runs", Watcher())
        after = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
        assert (after == before) == kept, (source, content)


def test_files_under_a_path_tell_an_experiment_without_a_digest_of_its_own(tmp_path: Path) -> None:
    file, data = tmp_path / "with_data.py", tmp_path / "data"
    file.write_text(WITH_DATA)
    (data / "inner").mkdir(parents=True)
    (data / "inner" / "a.txt").write_text("first")

    def told(path: Path | None = data) -> str:
        return fingerprint(load_experiment(str(file), {"data": path} if path else {}))

    first = told()
    assert told() == first
    shutil.copytree(data, tmp_path / "moved" / "data")  # with its times
    assert told(tmp_path / "moved" / "data") == first
    changes = {first}
    for change in (
        lambda: (data / "inner" / "a.txt").write_text("longer than first"),
        lambda: os.utime(data / "inner" / "a.txt", ns=(0, 0)),
        lambda: (data / "inner" / "a.txt").rename(data / "b.txt"),
    ):
        change()
        changes.add(told())
    assert len(changes) == 4
    one = told(data / "b.txt")
    (data / "b.txt").write_text("another size")
    assert told(data / "b.txt") != one
    assert load_experiment(str(file), {}).data_digest() == ""


def test_the_built_in_experiments_without_data_keep_their_fingerprints() -> None:
    """Those of runs that were published."""
    assert fingerprint(TwoDigits()) == "71f833106d06"
    assert fingerprint(Toy()) == "f698d6d6fdf5"


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


@pytest.mark.parametrize("change", [{"epochs": 0}, {"learning_rates": ()}, {"learning_rates": (1e-3, float("nan"))}])
def test_what_no_run_can_be_made_of_is_refused(digits: TwoDigits, tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=f"{next(iter(change))} is"):
        small(replace(digits, **change), tmp_path)
    for name in ("pairs", "evaluated", "batch_size"):
        with pytest.raises(RecipeError, match=f"{name} is 0"):
            replace(digits, **{name: 0})


def test_plans_have_files_of_their_own(tmp_path: Path) -> None:
    plans = [
        Plan(method, rate, 0) for method in ("single: v+", "single: v-", "a b", "a/b") for rate in (1e-3, 1.0000001e-3)
    ]
    assert len({plan.file_name for plan in plans}) == len(plans)
    assert Plan("single: left", 1e-5, 3).file_name == "single-left_lr1e-05_seed3.json"  # as ever


def test_another_plans_run_is_not_taken(digits: TwoDigits, tmp_path: Path) -> None:
    small(digits, tmp_path, seeds=1)
    identity = fingerprint(digits)
    folder = RunFolder(tmp_path, identity)
    plan, other = Plan("equal", 1e-2, 0), Plan("dynamic", 1e-2, 0)
    assert folder.load(plan) is not None
    shutil.copy(tmp_path / plan.file_name, tmp_path / other.file_name)
    assert folder.load(other) is None


class HalfTold(TwoDigits):
    """Forgets a task's figure."""

    def evaluate(self, network, part, tasks) -> dict[str, float]:
        return {task: figure for task, figure in super().evaluate(network, part, tasks).items() if task != LEFT}


def test_a_figure_that_is_missing_is_named(tmp_path: Path) -> None:
    problem = HalfTold(epochs=1, pairs=50, evaluated=50, learning_rates=(1e-3,))
    with pytest.raises(RecipeError, match=f"no figure for {LEFT}"):
        small(problem, tmp_path, seeds=1)
