"""Runs are made once, whatever interrupts them, and learn nothing from the people they are tested on."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from made_answers import SMALL, made_job

from mien.comparison import Plan, Run
from mien.comparison.comparison import TUNING_SEEDS
from mien.errors import DataError, ModelError, RecipeError
from mien.evaluation import Quirk
from mien.networks.dlib_weights import find_dlib_resnet
from mien.reproduction import Kind, find_rows, make_runs, make_setup
from mien.reproduction.experiment import FoldExperiment
from mien.reproduction.folds import Fold
from mien.reproduction.job import FORM, Job, Runs, _Bench
from mien.reproduction.material import Material


class Watch:
    """Counts runs, and presses Ctrl-C after some of them."""

    def __init__(self, patience: int = 1_000) -> None:
        self.patience = patience
        self.wanted = 0
        self.fresh: list[tuple[int, Plan]] = []
        self.found: list[tuple[int, Plan]] = []

    def start(self, runs: int) -> None:
        self.wanted = runs

    def made(self, fold: Fold, plan: Plan, run: Run, *, before: bool) -> None:
        (self.found if before else self.fresh).append((fold.number, plan))
        if len(self.fresh) == self.patience:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def one_row(material: Material) -> Job:
    return made_job(material, only=("dynamic",), seeds=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def runs(one_row: Job, folder: Path) -> Runs:
    return make_runs(one_row, folder, Watch())


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*.json"))
    }


def _answers(runs: Runs) -> list[object]:
    return [run.answers for folds in runs.runs.values() for seeds in folds for run in seeds]


def test_an_interrupted_job_goes_on_and_ends_the_same(one_row: Job, runs: Runs, tmp_path: Path) -> None:
    first = Watch(patience=4)
    with pytest.raises(KeyboardInterrupt):
        make_runs(one_row, tmp_path, first)
    left = _files(tmp_path)
    assert len(left) == 4
    second = Watch()
    finished = make_runs(one_row, tmp_path, second)
    assert second.wanted == 6
    assert second.found == first.fresh
    assert len(second.fresh) == 2
    assert {name: content for name, content in _files(tmp_path).items() if name in left} == left
    assert _answers(finished) == _answers(runs)


def test_half_a_file_is_made_anew(one_row: Job, runs: Runs, folder: Path, tmp_path: Path) -> None:
    kept = shutil.copytree(folder, tmp_path / "runs")
    damaged = kept / "fold-01" / Plan("dynamic", 1e-5, 0).file_name
    damaged.write_bytes(damaged.read_bytes()[:200])
    watch = Watch()
    make_runs(one_row, kept, watch)
    assert watch.fresh == [(1, Plan("dynamic", 1e-5, 0))]
    assert json.loads(damaged.read_text())["answers"] == runs.runs["dynamic"][1][0].answers


@pytest.mark.usefixtures("runs")
def test_tables_of_the_same_data_share_runs_and_other_budgets_do_not(
    one_row: Job, folder: Path, tmp_path: Path
) -> None:
    kept = shutil.copytree(folder, tmp_path / "runs")
    other = replace(one_row, table=replace(one_row.table, kinds=(Kind.PAIRS,)), folds=(2,))
    watch = Watch()
    make_runs(other, kept, watch)
    assert (watch.wanted, len(watch.found), watch.fresh) == (2, 2, [])
    longer = Watch()
    make_runs(replace(other, setup=replace(SMALL, epochs=3)), kept, longer)
    assert (len(longer.fresh), longer.found) == (2, [])


def test_runs_from_a_file_of_weights_that_changed_are_made_anew(one_row: Job, tmp_path: Path) -> None:
    file = tmp_path / "weights.dat"
    shutil.copy(find_dlib_resnet(), file)
    setup = replace(SMALL, epochs=1, steps=1, cut=replace(SMALL.cut, weights=str(file)))
    job = replace(one_row, setup=setup, folds=(2,), seeds=1)
    make_runs(job, tmp_path / "runs", Watch())
    again = Watch()
    make_runs(job, tmp_path / "runs", again)
    assert again.fresh == []
    file.write_bytes(b"trained anew")
    with pytest.raises(ModelError):  # it is read, and not passed over for the old runs
        make_runs(job, tmp_path / "runs", Watch())


def test_published_weights_are_told_by_their_name(one_row: Job, tmp_path: Path) -> None:
    """Runs that were made keep their fingerprint, whatever lies beside them."""
    content = [
        FORM,
        {key: value for key, value in asdict(SMALL).items() if key != "learning_rates"},
        asdict(one_row.material.source),  # type: ignore[union-attr]
        [one_row.material.digest],  # type: ignore[union-attr]
    ]
    fold = one_row.all_folds()[0]
    text = json.dumps([*content, fold.test, fold.validation, fold.train], sort_keys=True)
    told = _Bench(one_row, tmp_path, Watch())._fingerprint(fold)
    assert told == hashlib.sha256(text.encode()).hexdigest()[:12]


def test_each_fold_has_its_runs_of_every_seed(runs: Runs) -> None:
    assert [fold.number for fold in runs.folds] == [0, 1, 2]
    made = runs.runs["dynamic"]
    assert [[run.plan.seed for run in seeds] for seeds in made] == [[0, 1]] * 3
    for fold, seeds in zip(runs.folds, made, strict=True):
        for run in seeds:
            assert len(run.answers["scores"]) == 7 * len(fold.test)
            assert len(run.curves.steps) == SMALL.epochs * SMALL.steps
            assert set(run.epochs[0].test) == {"identity", "expression"}
    assert made[0][0].answers != made[0][1].answers


def test_test_people_are_not_trained_on(material: Material, one_row: Job) -> None:
    fold = one_row.all_folds()[1]
    experiment = FoldExperiment(epochs=1, learning_rates=(1e-5,), setup=SMALL, material=material, fold=fold)
    experiment.prepare()
    parts = experiment._parts
    everything = material.plain
    for name, people in (("train", fold.train), ("validation", fold.validation), ("test", fold.test)):
        rows = material.rows(people)
        if name == "train":  # neutral photos are references of pairs only
            rows = [row for row in rows if int(material.photos.expression[row]) >= 0]
        assert parts[name].stem[0].equal(everything[rows])


def test_rates_are_chosen_by_validation_in_runs_of_their_own(one_row: Job, tmp_path: Path) -> None:
    rates = (1e-6, 3e-4)
    job = replace(one_row, setup=replace(SMALL, epochs=1, learning_rates=rates), folds=(2,), seeds=1)
    watch = Watch()
    made = make_runs(job, tmp_path, watch)
    tuning = [(fold, plan) for fold, plan in watch.fresh if plan.seed in TUNING_SEEDS]
    assert {fold for fold, _ in tuning} == {0}
    assert len(tuning) == len(rates) * len(TUNING_SEEDS)
    assert watch.wanted == len(watch.fresh) == len(tuning) + 1
    scores = dict.fromkeys(rates, 0.0)
    for path in (tmp_path / "fold-00").glob("*.json"):
        run = json.loads(path.read_text())
        validation = run["epochs"][0]["validation"]
        scores[run["plan"]["learning_rate"]] += sum(validation.values()) / len(validation)
    assert made.learning_rates == {"dynamic": max(rates, key=lambda rate: scores[rate])}


def test_single_tasks_and_the_pretrained_network(material: Material, tmp_path: Path) -> None:
    setup = replace(SMALL, epochs=1, steps=1)
    job = made_job(material, setup=setup, only=("pretrained", "single task"), seeds=2, folds=(0,))
    made = make_runs(job, tmp_path, Watch()).runs
    assert {method: len(folds[0]) for method, folds in made.items()} == {
        "pretrained": 1,
        "single: expression": 2,
        "single: identity": 2,
    }
    assert made["pretrained"][0][0].epochs == []
    assert "scores" not in made["pretrained"][0][0].answers
    assert set(made["single: expression"][0][0].answers) == {"scores"}
    assert set(made["single: identity"][0][0].answers) == {"distances", "threshold"}


def test_unordered_folds_are_made_for_the_papers_method_alone(one_row: Job, tmp_path: Path) -> None:
    job = replace(one_row, setup=replace(SMALL, epochs=1, steps=1), quirks=(Quirk.UNORDERED_FOLDS,), seeds=1)
    made = make_runs(job, tmp_path, Watch())
    assert len(made.unordered) == 3
    assert [fold.test for fold in made.unordered_folds] != [fold.test for fold in made.folds]
    assert make_runs(replace(job, only=("static, equal",)), tmp_path, Watch()).unordered == []


def test_a_fold_that_is_not_there_is_refused(one_row: Job, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="6 people are dealt to 3 folds, from 0; there is no fold 7"):
        make_runs(replace(one_row, folds=(1, 7)), tmp_path, Watch())


def test_a_table_without_the_row_is_refused(one_row: Job, tmp_path: Path) -> None:
    table = replace(one_row.table, kinds=(Kind.EXPRESSION,))
    with pytest.raises(RecipeError, match="table made has no row pretrained"):
        make_runs(replace(one_row, table=table, only=find_rows(["pretrained"])), tmp_path, Watch())


def test_what_a_setup_refuses() -> None:
    with pytest.raises(RecipeError, match="there is no row dinamic; give methods of rows: pretrained, single"):
        find_rows(["dinamic"])
    with pytest.raises(RecipeError, match="cannot be made with backbone vgg"):
        make_setup("vgg")
    with pytest.raises(RecipeError, match="are not all above 0"):
        make_setup("resnet29", rates=[1e-5, 0.0])
    assert make_setup("resnet29", quick=True, epochs=9).epochs == 9
