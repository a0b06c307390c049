"""Figures of the protocols, against scikit-learn and against definitions written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_answers import KINDS, made_job, made_runs
from sklearn.metrics import confusion_matrix, f1_score, recall_score, roc_auc_score

from mien.comparison import Curves, Run
from mien.evaluation import Quirk
from mien.reproduction import Kind, TableResult, evaluate_table
from mien.reproduction.experiment import trial_of
from mien.reproduction.job import Job, Runs
from mien.reproduction.material import Material
from mien.reproduction.result import KindResult
from mien.reproduction.rows import RowAnswers
from mien.reproduction.score_pairs import find_mistakes
from mien.reproduction.trials import ExpressionTrial

WRONG = {"equal": 0.4, "dynamic": 0.1}


@pytest.fixture(scope="module")
def made(material: Material) -> tuple[Job, Runs, TableResult]:
    quirks = (Quirk.BEST_ON_TEST, Quirk.DROPPED_BATCH, Quirk.PRODUCT)
    job = made_job(material, quirks=quirks)
    runs = made_runs(job, WRONG)
    return job, runs, evaluate_table(job, runs)


def _kind(result: TableResult, kind: Kind) -> KindResult:
    return result.kinds[KINDS.index(kind)]


def _folds(job: Job, runs: Runs, method: str, seed: int) -> list[tuple[object, Run]]:
    assert job.material is not None
    return [(trial_of(job.material, fold.test), runs.runs[method][k][seed]) for k, fold in enumerate(runs.folds)]


def test_expressions_agree_with_scikit_learn(made: tuple[Job, Runs, TableResult]) -> None:
    job, runs, result = made
    scored = _kind(result, Kind.EXPRESSION).rows["static, equal"]
    figures, classes = scored.figures, len(job.material.classes)  # type: ignore[union-attr]
    accuracies, recalls, f1s, total = [], [], [], np.zeros((classes, classes), int)
    for seed in (0, 1):
        truth, said = [], []
        for trial, run in _folds(job, runs, "equal", seed):
            known = trial.labels >= 0  # type: ignore[attr-defined]
            truth.append(trial.labels[known])  # type: ignore[attr-defined]
            said.append(np.array(run.answers["scores"]).argmax(axis=1)[known])
        accuracies.append([np.mean(a == b) for a, b in zip(truth, said, strict=True)])
        pooled = np.concatenate(truth), np.concatenate(said)
        recalls.append(recall_score(*pooled, average="macro"))
        f1s.append(f1_score(*pooled, average="macro"))
        total += confusion_matrix(*pooled, labels=range(classes))
    assert figures["accuracy"].mean == pytest.approx(np.mean(accuracies))  # type: ignore[union-attr]
    assert figures["accuracy"].n == 6 * 6  # type: ignore[union-attr]
    for name, values in (("macro_recall", recalls), ("macro_f1", f1s)):
        found = figures[name]
        assert found is not None
        assert found.mean == pytest.approx(np.mean(values))
        assert found.seed_sd == pytest.approx(np.std(values, ddof=1))
        assert found.low < found.mean < found.high  # type: ignore[operator]
    assert (scored.confusion == total).all()


def test_worst_mistakes_are_mistakes(made: tuple[Job, Runs, TableResult]) -> None:
    job, _, result = made
    labels = {sample.name: str(sample.expression) for sample in job.material.samples}  # type: ignore[union-attr]
    mistakes = _kind(result, Kind.EXPRESSION).rows["static, equal"].mistakes
    assert mistakes
    for mistake in mistakes:
        assert mistake.text.split(" taken for ")[0] == labels[mistake.photos[0]]


def test_worst_pairs_are_told_once(made: tuple[Job, Runs, TableResult]) -> None:
    job, runs, result = made
    mistakes = _kind(result, Kind.PAIRS).rows["static, equal"].mistakes
    ratios = [float(mistake.text.split(" at ")[1].split()[0]) for mistake in mistakes]
    assert len(ratios) > 1
    assert ratios == sorted(ratios, key=lambda ratio: -abs(ratio - 1))
    trial, run = _folds(job, runs, "equal", 0)[0]
    assert isinstance(trial, ExpressionTrial)
    row, answers = job.rows[0], {"distances": run.answers["distances"], "threshold": 0.6}
    arrays = ("reference", "probe", "required", "kind", "person_reference", "person_probe")
    asked_twice = replace(trial.pairs, **{name: np.tile(getattr(trial.pairs, name), 2) for name in arrays})
    once = find_mistakes(RowAnswers(row, [[answers]], [], [0], 0), [trial])
    answers = answers | {"distances": np.tile(run.answers["distances"], 2)}
    assert once
    assert find_mistakes(RowAnswers(row, [[answers]], [], [0], 0), [replace(trial, pairs=asked_twice)]) == once


def test_pairs_are_told_by_thresholds_of_others(made: tuple[Job, Runs, TableResult]) -> None:
    job, runs, result = made
    found = _kind(result, Kind.PAIRS)
    figures = found.rows["static, equal"].figures
    strict, aucs = [], []
    for seed in (0, 1):
        for trial, run in _folds(job, runs, "equal", seed):
            distances = np.array(run.answers["distances"])
            strict.append(np.mean((distances <= 0.6) == trial.same))  # type: ignore[attr-defined]
            aucs.append(roc_auc_score(trial.same, -distances))  # type: ignore[attr-defined]
    assert figures["accuracy_strict"].mean == pytest.approx(np.mean(strict))  # type: ignore[union-attr]
    assert figures["auc"].mean == pytest.approx(np.mean(aucs))  # type: ignore[union-attr]
    assert figures["accuracy"].mean == pytest.approx(np.mean(strict), abs=0.1)  # type: ignore[union-attr]
    assert sum(found.pairs.values()) == figures["accuracy"].n  # type: ignore[union-attr]
    assert len(set(found.pairs.values())) == 1  # as many of each of the four kinds


def test_authentication_is_a_joint_decision(made: tuple[Job, Runs, TableResult]) -> None:
    job, runs, result = made
    figures = _kind(result, Kind.AUTHENTICATION).rows["dynamic"].figures
    right, refused = [], []
    for trial, run in _folds(job, runs, "dynamic", 0) + _folds(job, runs, "dynamic", 1):
        pairs = trial.pairs  # type: ignore[attr-defined]
        said = np.array(job.material.classes)[np.array(run.answers["scores"]).argmax(axis=1)]  # type: ignore[union-attr]
        asked = np.array(pairs.names)[pairs.required]
        accepted = (np.array(run.answers["distances"]) <= 0.6) & (said[pairs.probe] == asked)
        right.append(np.mean(accepted == (pairs.kind == 0)))
        refused.append(np.mean(~accepted[pairs.kind == 0]))
    assert figures["accuracy"].mean == pytest.approx(np.mean(right))  # type: ignore[union-attr]
    assert figures["frr"].mean == pytest.approx(np.mean(refused))  # type: ignore[union-attr]
    # A stranger with the wrong expression has to be lucky twice.
    assert figures["far_both_wrong"].mean <= figures["far_wrong_person"].mean  # type: ignore[union-attr]


def test_differences_are_of_seeds_that_finished_in_both_rows(made: tuple[Job, Runs, TableResult]) -> None:
    job, runs, result = made
    broken = [[replace(seeds[0], failure="a loss was no number"), *seeds[1:]] for seeds in runs.runs["equal"]]
    some = evaluate_table(job, replace(runs, runs=runs.runs | {"equal": broken}))
    assert some.failed == {"static, equal": 1}
    for found, whole in zip(some.kinds, result.kinds, strict=True):
        ours, theirs = (whole.rows[name].items for name in ("dynamic", "static, equal"))
        figure = found.differences[0].figure
        assert figure.seeds == 1
        by_hand = [(a.values[1] - b.values[1]).mean() for a, b in zip(ours, theirs, strict=True)]
        assert figure.mean == pytest.approx(np.mean(by_hand))
    other = [[seeds[0], replace(seeds[1], failure="a loss was no number")] for seeds in runs.runs["dynamic"]]
    none = evaluate_table(job, replace(runs, runs={"equal": broken, "dynamic": other}))
    assert none.kinds[0].differences == []


def test_quirks_are_named_and_apart(made: tuple[Job, Runs, TableResult]) -> None:
    _, _, result = made
    expression = _kind(result, Kind.EXPRESSION).rows["dynamic"]
    assert expression.quirks[Quirk.BEST_ON_TEST].mean == pytest.approx(0.75)  # the better of 0.7 and 0.75
    assert Quirk.DROPPED_BATCH not in expression.quirks
    product = _kind(result, Kind.AUTHENTICATION).rows["dynamic"].quirks[Quirk.PRODUCT]
    pairs = _kind(result, Kind.PAIRS).rows["dynamic"].figures["accuracy"]
    clean = expression.figures["accuracy"]
    assert product.mean == pytest.approx(pairs.mean * clean.mean, abs=0.03)  # type: ignore[union-attr]


def test_without_quirks_there_are_none(material: Material) -> None:
    job = made_job(material)
    result = evaluate_table(job, made_runs(job))
    assert all(scored.quirks == {} for kind in result.kinds for scored in kind.rows.values())


def test_unordered_folds_replace_the_figure_of_the_papers_method(material: Material) -> None:
    job = made_job(material, quirks=(Quirk.UNORDERED_FOLDS,))
    shuffled = made_runs(replace(job, only=("dynamic",)), {"dynamic": 1.0})
    others = job.all_folds(unordered=True)
    runs = replace(made_runs(job), unordered_folds=others, unordered=shuffled.runs["dynamic"])
    found = _kind(evaluate_table(job, runs), Kind.EXPRESSION).rows
    assert found["dynamic"].figures["accuracy"].mean == 1  # type: ignore[union-attr]
    assert found["dynamic"].quirks[Quirk.UNORDERED_FOLDS].mean < 1
    assert found["static, equal"].quirks == {}


def test_differences_are_those_of_the_rows(made: tuple[Job, Runs, TableResult]) -> None:
    _, _, result = made
    found = _kind(result, Kind.EXPRESSION)
    assert [(each.row, each.other) for each in found.differences] == [("dynamic", "static, equal")]
    ours, theirs = (found.rows[name].figures["accuracy"] for name in ("dynamic", "static, equal"))
    assert found.differences[0].figure.mean == pytest.approx(ours.mean - theirs.mean)  # type: ignore[union-attr]


def test_a_seed_that_failed_in_one_fold_is_left_out_and_counted(material: Material) -> None:
    job = made_job(material)
    runs = made_runs(job, WRONG)
    runs.runs["dynamic"][1][0] = replace(runs.runs["dynamic"][1][0], failure="the loss is not finite")
    runs.runs["equal"][0][0] = replace(runs.runs["equal"][0][0], failure="the loss is not finite")
    runs.runs["equal"][2][1] = replace(runs.runs["equal"][2][1], failure="the loss is not finite")
    result = evaluate_table(job, runs)
    assert result.failed == {"dynamic": 1, "static, equal": 2}
    found = _kind(result, Kind.EXPRESSION).rows
    assert set(found) == {"dynamic"}
    assert found["dynamic"].figures["accuracy"].seeds == 1  # type: ignore[union-attr]


def test_rows_without_an_expression_branch_are_scored_by_pairs_alone(material: Material) -> None:
    job = made_job(material, only=("pretrained", "dynamic"))
    runs = made_runs(job)
    for seeds in runs.runs["pretrained"]:
        bare = {key: value for key, value in seeds[0].answers.items() if key != "scores"}
        seeds[:] = [replace(seeds[0], answers=bare, epochs=[], curves=Curves([], {}, {}, []))]
    result = evaluate_table(job, runs)
    assert set(_kind(result, Kind.PAIRS).rows) == {"pretrained", "dynamic"}
    assert set(_kind(result, Kind.EXPRESSION).rows) == {"dynamic"}
    assert result.dynamics.keys() == {"dynamic"}
