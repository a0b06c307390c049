from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from mien.datasets import UNLABELLED, plain_view
from mien.errors import CheckpointError, DataError, RecipeError
from mien.training import BEST, LAST, Trainer, load_checkpoint, load_sources, load_trained, parse_recipe
from mien.training.assembly import empty_network, take_over
from mien.training.checkpoint import save_checkpoint
from mien.training.teachers import load_teacher
from mien.training.validation import predict, validate


class Silent:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        pass

    def line(self, text: str) -> None:
        self.lines.append(text)


def trainer(content: dict[str, Any], faces: Path, folder: Path) -> Trainer:
    recipe = parse_recipe(content, "recipe")
    return Trainer(recipe, load_sources(recipe, {"faces": faces}, lambda _: None), folder, Silent())


def press_in(run: Trainer, moment: str) -> None:
    """Press Ctrl-C once, in the middle of the run's next step."""
    pressed = []

    def press(*_: Any) -> None:
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    if moment == "forward":
        run.network.trunk.register_forward_hook(press)
    else:
        run.optimizer.register_step_post_hook(press)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return bool(first == second)


def test_killed_at_three_random_moments_it_ends_with_the_same_weights(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(content | {"epochs": 3}))

    def start(folder: str) -> subprocess.Popen[bytes]:
        arguments = [
            "train",
            str(tmp_path / "recipe.yaml"),
            "--data",
            f"faces={faces}",
            "--output",
            str(tmp_path / folder),
        ]
        command = [sys.executable, "-c", "from mien.cli import main; main()", *arguments]
        return subprocess.Popen(command)

    started = time.monotonic()
    assert start("whole").wait() == 0
    duration = time.monotonic() - started
    for moment in (random.uniform(0.5, 0.95) for _ in range(3)):
        process = start("killed")
        try:
            process.wait(moment * duration)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert start("killed").wait() == 0
    whole, killed = (load_checkpoint(tmp_path / folder / LAST) for folder in ("whole", "killed"))
    assert whole["step"] == 3 * 4
    assert same(whole, killed)
    assert same(load_checkpoint(tmp_path / "whole" / BEST), load_checkpoint(tmp_path / "killed" / BEST))


@pytest.mark.parametrize(("cached_views", "balance"), [(0, 0.0), (2, 0.4)])
def test_interrupted_within_each_step_it_ends_with_the_same_weights(
    content: dict[str, Any], faces: Path, tmp_path: Path, cached_views: int, balance: float
) -> None:
    content["cached_views"] = cached_views
    content["sources"][0]["balance"] = balance
    trainer(content, faces, tmp_path / "whole").run()

    for moment in ("forward", "optimizer") * 3:
        part = trainer(content, faces, tmp_path / "parts")
        done = part.step
        press_in(part, moment)
        with pytest.raises(KeyboardInterrupt):
            part.run()
        assert load_checkpoint(tmp_path / "parts" / LAST)["step"] == done + 1
    trainer(content, faces, tmp_path / "parts").run()
    assert same(load_checkpoint(tmp_path / "whole" / LAST), load_checkpoint(tmp_path / "parts" / LAST))


def test_a_seed_decides_everything(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    content["epochs"] = 1
    weights = []
    for number, seed in enumerate((1, 1, 2)):
        run = trainer(content | {"seed": seed}, faces, tmp_path / str(number))
        run.run()
        weights.append(load_checkpoint(tmp_path / str(number) / BEST)["network"])
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])


def test_what_is_trained_moves_and_what_is_frozen_stays(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    run = trainer(content, faces, tmp_path)
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    unit = [parameter.clone() for parameter in run.parts.weighting.parameters()]
    run.run()
    moved = {name for name, value in run.network.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith("stem.") for name in moved)
    for part in ("trunk.", "branches.identity.", "branches.expression."):
        assert any(name.startswith(part) for name in moved)
    assert not all(torch.equal(a, b) for a, b in zip(unit, run.parts.weighting.parameters(), strict=True))


@pytest.mark.parametrize("task", ["identity", "expression"])
@pytest.mark.parametrize("method", ["equal", "naive", "dynamic-raw", "dynamic"])
def test_single_tasks_and_all_methods_train(
    content: dict[str, Any], faces: Path, tmp_path: Path, task: str, method: str
) -> None:
    content |= {"epochs": 1, "weighting": {"method": method}, "tasks": {task: content["tasks"][task]}}
    run = trainer(content, faces, tmp_path)
    run.run()
    assert set(run.network.branches) == {task}
    assert run.parts.weighting.weights == {task: 1.0}


@pytest.mark.parametrize("method", ["progress", "uncertainty", "famo", "gradnorm", "upgrad"])
def test_methods_of_every_kind_train_two_tasks(
    content: dict[str, Any], faces: Path, tmp_path: Path, method: str
) -> None:
    if method == "upgrad":
        pytest.importorskip("torchjd")
    run = trainer(content | {"epochs": 1, "weighting": {"method": method}}, faces, tmp_path)
    run.run()
    assert all(weight > 0 for weight in run.parts.weighting.weights.values())


def test_famo_learns_from_the_losses_after_the_step(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    run = trainer(content | {"epochs": 2, "weighting": {"method": "famo"}}, faces, tmp_path)
    run.run()
    assert run.parts.weighting.weights["identity"] != run.parts.weighting.weights["expression"]


@pytest.mark.parametrize("loss", ["arcface", "cosface"])
def test_identity_learns_with_a_margin(content: dict[str, Any], faces: Path, tmp_path: Path, loss: str) -> None:
    content |= {"epochs": 1, "tasks": {"identity": {"labels": {"loss": loss}}}}
    run = trainer(content, faces, tmp_path)
    centres = run.parts.tasks["identity"].classifier.weight.clone()
    run.run()
    assert not torch.equal(run.parts.tasks["identity"].classifier.weight, centres)


def test_bfloat16_on_a_processor_without_it_is_said(
    content: dict[str, Any], faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    run = trainer(content | {"precision": "bfloat16"}, faces, tmp_path)
    assert any("--set precision=float32" in line for line in run.observer.lines)


def test_the_frozen_stages_are_computed_in_the_precision_of_the_others(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    for precision, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        run = trainer(content | {"precision": precision}, faces, tmp_path / precision)
        stem = run.batches.batch(0).stem
        assert stem.dtype == kind
        assert run._losses(run.batches.batch(0))[1].dtype == kind


def test_a_run_starts_from_the_branches_of_another(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    alone = content | {
        "crop_size": 128,
        "tasks": {"expression": content["tasks"]["expression"]},
        "network": content["network"] | {"frozen": 12},
    }
    trainer(alone, faces, tmp_path / "expression").run()
    earlier = load_checkpoint(tmp_path / "expression" / BEST)["network"]
    recipe = parse_recipe(content, "recipe")
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    run = Trainer(recipe, sources, tmp_path / "both", Silent(), tmp_path / "expression" / BEST)
    fresh = trainer(content, faces, tmp_path / "fresh")
    own, other = run.network.state_dict(), fresh.network.state_dict()
    expression = [name for name in own if name.startswith("branches.expression.")]
    assert all(own[name].equal(earlier[name]) for name in expression)
    assert all(own[name].equal(other[name]) for name in own if name not in expression)  # the trunk was frozen
    assert run.averaged.module.state_dict()[expression[0]].equal(earlier[expression[0]])
    run.run()


def test_weights_that_have_no_place_are_named(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    trainer(content | {"epochs": 1}, faces, tmp_path / "first").run()
    expression = {"tasks": {"expression": content["tasks"]["expression"]}}
    recipe = parse_recipe(content | expression, "recipe")
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    with pytest.raises(CheckpointError, match=r"no place for its branches\.identity"):
        Trainer(recipe, sources, tmp_path / "second", Silent(), tmp_path / "first" / BEST)


def test_earlier_runs_teach_what_they_say_together(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    content["epochs"] = 1
    small = content | {"tasks": {"expression": content["tasks"]["expression"]}, "crop_size": 128, "seed": 1}
    teachers = [tmp_path / name / BEST for name in ("large", "small")]
    for path, recipe in zip(teachers, (content, small), strict=True):
        trainer(recipe, faces, path.parent).run()
    recipe = parse_recipe(content, "recipe").changed({"tasks.expression.taught": 0.5})
    teach = load_teacher(recipe, teachers)
    assert teach is not None
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    images = sources[0].train.images[:8]
    opinions = [
        predict(load_trained(path)[1], sources[0].train.take(range(8)), size)["expression"].softmax(dim=1)
        for path, size in zip(teachers, (112, 128), strict=True)
    ]
    # From the original photos to 128 pixels, and from them by way of 112, are not quite the same pixels.
    torch.testing.assert_close(teach(plain_view(images, 112)), sum(opinions) / 2, atol=0.02, rtol=0)
    torch.testing.assert_close(load_teacher(recipe, teachers[:1])(plain_view(images, 112)), opinions[0])
    run = Trainer(recipe, sources, tmp_path / "student", Silent(), teachers=teachers)
    assert run.run()


def test_teachers_are_asked_for_and_refused(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(content | {"epochs": 1}, "recipe")
    trainer(content | {"epochs": 1}, faces, tmp_path).run()
    with pytest.raises(RecipeError, match="no use for teachers"):
        load_teacher(recipe, [tmp_path / BEST])
    taught = recipe.changed({"tasks.expression.taught": 0.5})
    with pytest.raises(RecipeError, match="give --teacher CHECKPOINT"):
        load_teacher(taught, [])
    with pytest.raises(CheckpointError, match="does not know the same expressions"):
        load_teacher(taught.changed({"tasks.expression.classes": ["happiness", "neutral"]}), [tmp_path / BEST])
    with pytest.raises(RecipeError, match="set cached_views to 0"):
        taught.changed({"cached_views": 2})


def test_batches_have_every_kind_of_label_and_cover_each_epoch(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    run = trainer(content, faces, tmp_path)
    steps = run.batches.steps_per_epoch
    batches = [run.batches.batch(step) for step in range(steps)]
    assert steps == 4
    for labels in (torch.cat([b.identity for b in batches]), torch.cat([b.expression for b in batches])):
        assert (labels == UNLABELLED).sum() == 8
    assert torch.equal(run.batches.batch(1).stem, batches[1].stem)
    assert not torch.equal(run.batches.batch(steps + 1).stem, batches[1].stem)


def test_rare_expressions_are_drawn_more_often_and_count_more(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    content["sources"][0] |= {"balance": 1.0, "class_weight": 1.0, "weight": 3.0}
    run = trainer(content, faces, tmp_path)
    steps = run.batches.steps_per_epoch
    batches = [run.batches.batch(step) for step in range(steps)]
    labels = torch.cat([batch.expression for batch in batches])
    # Of 32 photos 16 are neutral, 8 happy and 8 unlabelled.
    assert [int((labels == label).sum()) for label in (0, 1, UNLABELLED)] == [12, 12, 8]
    torch.testing.assert_close(batches[0].weights, torch.tensor([[2.25, 4.5]]).expand(8, -1))
    assert torch.equal(run.batches.batch(1).stem, batches[1].stem)


def test_skipped_photos_are_reported(content: dict[str, Any], faces: Path) -> None:
    lines: list[str] = []
    load_sources(parse_recipe(content, "recipe"), {"faces": faces}, lines.append)
    assert "reading faces" in lines[0]
    assert "32 photos to train on" in lines[1]
    assert [line for line in lines if "damaged.png" in line]


def test_missing_data_says_how_to_give_it(content: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="give --data faces=FOLDER"):
        load_sources(parse_recipe(content, "recipe"), {}, print)


def test_another_recipe_in_the_same_folder_is_refused(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    content["epochs"] = 1
    trainer(content, faces, tmp_path).run()
    with pytest.raises(CheckpointError, match="a run of another recipe"):
        trainer(content | {"seed": 5}, faces, tmp_path)


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_a_damaged_checkpoint_is_one_clear_error(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "last.pt"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(CheckpointError, match=r"last\.pt"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_version_is_one_clear_error(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    recipe = json.loads(parse_recipe(content, "recipe").model_dump_json()) | {"alone": 3}
    path = tmp_path / "best.pt"
    save_checkpoint({"recipe": json.dumps(recipe), "network": {}}, path)
    with pytest.raises(CheckpointError, match=r"best\.pt is of another version of mien: alone: Extra inputs"):
        load_trained(path)
    with pytest.raises(CheckpointError, match="of another version"):
        take_over(empty_network(parse_recipe(content, "recipe")), path)


def test_a_second_interruption_ends_at_once_and_what_was_saved_stays(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    run = trainer(content, faces, tmp_path)

    def press_twice(*_: Any) -> None:
        if run.step == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    run.network.trunk.register_forward_hook(press_twice)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert load_checkpoint(tmp_path / LAST)["step"] == 2


def test_a_run_goes_on_with_the_frozen_stages_it_started_from(
    content: dict[str, Any], faces: Path, tmp_path: Path
) -> None:
    """They may be another run's, which trained them: ``start`` is given only at the start."""
    freer = content | {"epochs": 1, "network": content["network"] | {"frozen": 8}}
    trainer(freer, faces, tmp_path / "freer").run()
    recipe = parse_recipe(content, "recipe")
    sources = load_sources(recipe, {"faces": faces}, lambda _: None)
    start = tmp_path / "freer" / BEST
    Trainer(recipe, sources, tmp_path / "whole", Silent(), start).run()
    half = Trainer(recipe, sources, tmp_path / "half", Silent(), start)
    press_in(half, "optimizer")
    with pytest.raises(KeyboardInterrupt):
        half.run()
    Trainer(recipe, sources, tmp_path / "half", Silent()).run()
    assert same(load_checkpoint(tmp_path / "whole" / LAST), load_checkpoint(tmp_path / "half" / LAST))


@pytest.mark.parametrize("seed", range(5))
def test_few_people_with_two_photos_among_many_with_one_can_be_validated(
    content: dict[str, Any], faces: Path, seed: int
) -> None:
    recipe = parse_recipe(content, "recipe")
    [source] = load_sources(recipe, {"faces": faces}, lambda _: None)
    who = torch.cat([torch.arange(40), torch.arange(5)])
    order = torch.from_numpy(np.random.default_rng(seed).permutation(40))  # of the names: it decides the folds
    photos = replace(
        source.train,
        images=torch.randint(256, (45, *source.train.images.shape[1:]), dtype=torch.uint8),
        identity=order[who],
        shares=torch.zeros(45, 2),  # nor is there anything to say about expressions
    )
    metrics = validate(recipe, empty_network(recipe).eval(), [replace(source, validation=photos)])
    tars = {"faces/tar_at_far_1e-2", "faces/tar_at_far_1e-3"}
    assert metrics.keys() == {"faces/verification_accuracy", "score"} | tars
    assert metrics["score"] == metrics["faces/verification_accuracy"]


@pytest.mark.parametrize(
    ("score", "figures"),
    [
        (None, ["expression_accuracy", "verification_accuracy"]),
        (
            ["expression_accuracy", "expression_balanced_accuracy"],
            ["expression_accuracy", "expression_balanced_accuracy"],
        ),
        (["faces/tar_at_far_1e-3"], ["tar_at_far_1e-3"]),
    ],
)
def test_the_epoch_is_chosen_by_the_figures_that_the_recipe_names(
    content: dict[str, Any], faces: Path, score: list[str] | None, figures: list[str]
) -> None:
    torch.manual_seed(0)
    recipe = parse_recipe(content | ({"score": score} if score else {}), "recipe")
    [source] = load_sources(recipe, {"faces": faces}, lambda _: None)
    metrics = validate(recipe, empty_network(recipe).eval(), [replace(source, validation=source.train)])
    assert metrics["score"] == pytest.approx(np.mean([metrics[f"faces/{figure}"] for figure in figures]))
    assert 0 <= metrics["faces/expression_calibration_error"] <= 1


def test_ties_of_votes_are_not_validated_on(content: dict[str, Any], faces: Path) -> None:
    recipe = parse_recipe(content, "recipe")
    [source] = load_sources(recipe, {"faces": faces}, lambda _: None)
    network = empty_network(recipe).eval()
    clear = source.train.take((source.train.expression >= 0).nonzero()[:, 0].tolist())
    shares = torch.cat([clear.shares * 0.8 + 0.1, torch.full_like(clear.shares, 0.5)])
    tied = replace(clear.take([*range(len(clear)), *range(len(clear))]), shares=shares)
    figures = [validate(recipe, network, [replace(source, validation=photos)]) for photos in (clear, tied)]
    for name in ("faces/expression_accuracy", "faces/expression_calibration_error"):
        assert figures[0][name] == pytest.approx(figures[1][name], abs=1e-6)


def test_history_and_curves_are_written(content: dict[str, Any], faces: Path, tmp_path: Path) -> None:
    content["sources"][0]["validation"] = 0.4
    run = trainer(content, faces, tmp_path)
    run.log_every = 1
    best = run.run()
    history = json.loads((tmp_path / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2]
    assert best == max(history, key=lambda entry: entry["score"])
    assert 0 <= history[0]["faces/expression_accuracy"] <= 1
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"loss/identity", "loss/expression", "loss/total", "weight/identity", "validation/score"} <= tags


def test_classes_that_nothing_teaches_are_told_or_refused(content: dict[str, Any], faces: Path) -> None:
    told: list[str] = []
    content["tasks"]["expression"] = {"classes": ["neutral", "happiness", "fear"]}
    load_sources(parse_recipe(content, "recipe"), {"faces": faces, "others": faces}, told.append)
    assert "warning: no photo to train on is labelled fear; what the model says of it is noise" in told
    assert "others is no data set of the recipe small, and is not read" in told
    content["tasks"]["expression"] = {"classes": ["disgust", "fear"]}
    with pytest.raises(DataError, match="labelled disgust, fear; change the classes"):
        load_sources(parse_recipe(content, "recipe"), {"faces": faces}, told.append)
