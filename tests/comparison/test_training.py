from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mien.comparison import SINGLE, Plan, train
from mien.comparison.experiments.two_digits import LEFT, RIGHT, TwoDigits
from mien.comparison.optimizers import make_optimizers
from mien.comparison.recorder import CURVE_POINTS
from mien.comparison.records import RunFolder
from mien.weighting import DynamicWeighting, UncertaintyWeighting
from mien.weighting.registry import REGISTRY

METHODS = [name for name, method in REGISTRY.items() if not method.needs_weights]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_run(digits: TwoDigits, method: str) -> None:
    if REGISTRY[method].family == "per-gradient":
        pytest.importorskip("torchjd")
    run = train(Plan(method, 1e-2, 0), digits)
    assert run.failure == ""
    assert len(run.epochs) == 2
    assert set(run.epochs[0].test) == {LEFT, RIGHT}
    assert run.curves.steps[-1] == 8
    assert all(value is not None for values in run.curves.losses.values() for value in values)
    assert run.seconds_per_step > 0


def test_the_same_plan_gives_the_same_run(digits: TwoDigits) -> None:
    first, second = (train(Plan("dynamic", 1e-2, 4), digits) for _ in range(2))
    assert first.curves == second.curves
    assert first.epochs == second.epochs


def test_all_methods_of_a_seed_start_from_one_network_and_one_batch(digits: TwoDigits) -> None:
    firsts = {method: train(Plan(method, 1e-2, 5), digits).curves.losses for method in ("equal", "dynamic", "random")}
    starts = {method: (losses[LEFT][0], losses[RIGHT][0]) for method, losses in firsts.items()}
    assert len(set(starts.values())) == 1
    other = train(Plan("equal", 1e-2, 6), digits).curves.losses
    assert other[LEFT][0] != starts["equal"][0]


def test_equal_is_adam_on_the_mean_loss_by_hand(digits: TwoDigits) -> None:
    torch.manual_seed(2)
    network = digits.network(2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    seen: list[float] = []
    order = torch.Generator().manual_seed(2)
    for _ in range(digits.epochs):
        for batch in digits.batches(order):
            losses, _ = digits.losses(network, batch, [LEFT, RIGHT])
            optimizer.zero_grad()
            (0.5 * losses[LEFT] + 0.5 * losses[RIGHT]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            seen.append(losses[LEFT].item())
    assert train(Plan("equal", 1e-2, 2), digits).curves.losses[LEFT] == pytest.approx(seen)


def test_a_single_task_trains_alone(digits: TwoDigits) -> None:
    run = train(Plan(SINGLE + RIGHT, 1e-2, 0), digits)
    assert set(run.epochs[0].test) == {RIGHT}
    assert set(run.curves.weights) == {RIGHT}
    assert set(run.curves.weights[RIGHT]) == {1.0}


@dataclass(frozen=True)
class Exploding(TwoDigits):
    """Its losses are no numbers from the sixth step on."""

    def losses(self, network: nn.Module, batch, tasks) -> tuple[dict[str, Tensor], Tensor]:
        losses, shared = super().losses(network, batch, tasks)
        network.steps = getattr(network, "steps", 0) + 1
        factor = float("nan") if network.steps > 5 else 1.0
        return {task: loss * factor for task, loss in losses.items()}, shared


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(digits: TwoDigits) -> None:
    problem = Exploding(epochs=3, pairs=200, evaluated=200)
    problem.prepare()
    run = train(Plan("dynamic", 1e-2, 0), problem)
    assert "not finite" in run.failure
    assert len(run.epochs) == 1
    assert run.best is None


class Blank(TwoDigits):
    """Its figures are no numbers at a large learning rate."""

    def evaluate(self, network, part, tasks) -> dict[str, float]:
        figures = super().evaluate(network, part, tasks)
        figures[LEFT] = float("nan") if network.trunk[0].weight.abs().max() > 1e3 else figures[LEFT]
        return figures


def test_a_figure_that_is_no_number_wins_nothing(tmp_path: Path) -> None:
    problem = Blank(epochs=1, pairs=200, evaluated=200, learning_rates=(1e6, 1e-2))
    problem.prepare()
    run = train(Plan("equal", 1e6, 0), problem)
    assert (run.best, run.failure) == (None, f"the validation figure of {LEFT} is nan")


def test_curves_are_thinned_to_the_last_step() -> None:
    problem = TwoDigits(epochs=1, pairs=4 * (CURVE_POINTS + 50), batch_size=4, evaluated=50)
    problem.prepare()
    curves = train(Plan("equal", 1e-3, 0), problem).curves
    assert len(curves.steps) <= CURVE_POINTS
    assert curves.steps[-1] == CURVE_POINTS + 50
    assert len(curves.losses[LEFT]) == len(curves.weights[LEFT]) == len(curves.steps)


def test_curves_of_a_method_without_weights_have_none(digits: TwoDigits, tmp_path: Path) -> None:
    """Neither those that are made nor those that were kept with NaN."""
    pytest.importorskip("torchjd")
    plan = Plan("graddrop", 1e-2, 0)
    run = train(plan, digits)
    assert run.curves.weights == {LEFT: [], RIGHT: []}
    folder = RunFolder(tmp_path, "f")
    folder.save(run)
    kept = tmp_path / plan.file_name
    kept.write_text(kept.read_text().replace('": []', '": [NaN, NaN]'))
    assert "NaN" in kept.read_text()
    assert folder.load(plan) == run


def test_a_method_that_names_no_rate_learns_as_new_layers_do() -> None:
    pretrained, new = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    groups = [{"params": [pretrained], "lr": 1e-5}, {"params": [new], "lr": 3e-4}]
    for weighting, rate in ((UncertaintyWeighting(["a", "b"]), 3e-4), (DynamicWeighting(["a", "b"], features=2), 0.1)):
        own = make_optimizers(groups, weighting, 1e-5)[1]
        assert [group["lr"] for group in own.param_groups] == [rate]


class Dead(TwoDigits):
    """Its branches give the trunk no gradient, as dead units do."""

    def losses(self, network: nn.Module, batch, tasks) -> tuple[dict[str, Tensor], Tensor]:
        shared = network.trunk(batch.pictures)
        return {
            task: nn.functional.cross_entropy(network.branches[task](0 * shared), batch.labels[task]) for task in tasks
        }, shared


def test_an_aggregator_that_finds_no_direction_fails_the_run_and_not_the_comparison() -> None:
    pytest.importorskip("torchjd")
    problem = Dead(epochs=1, pairs=50, evaluated=50)
    problem.prepare()
    run = train(Plan("nash-mtl", 1e-2, 0), problem)
    assert run.best is None
    assert "NashMTL found no direction for gradients of the norms 0, 0" in run.failure
