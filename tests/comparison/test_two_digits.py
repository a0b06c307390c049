from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from mien.comparison.comparison import fingerprint
from mien.comparison.experiments.two_digits import LEFT, RIGHT, TwoDigits, digit_parts
from mien.errors import RecipeError


def batches(problem: TwoDigits, seed: int = 0):
    return list(problem.batches(torch.Generator().manual_seed(seed)))


def test_a_picture_holds_both_digits_where_they_belong(digits: TwoDigits) -> None:
    batch = batches(digits)[0]
    pictures, labels = digit_parts()["train"]
    for picture, left, right in zip(batch.pictures[:5, 0], batch.labels[LEFT], batch.labels[RIGHT], strict=False):
        alone = picture[:2, :8]  # the two rows that only the upper left digit reaches
        assert any(torch.equal(candidate[:2], alone) for candidate in pictures[labels == left])
        alone = picture[-2:, 2:]
        assert any(torch.equal(candidate[-2:], alone) for candidate in pictures[labels == right])


def test_no_digit_is_on_two_sides() -> None:
    parts = {name: {digit.numpy().tobytes() for digit in pictures} for name, (pictures, _) in digit_parts().items()}
    everything = load_digits().images
    assert sum(len(pictures) for pictures, _ in digit_parts().values()) == len(everything)
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]


def test_noise_replaces_labels_in_training_alone() -> None:
    clean, noisy = TwoDigits(pairs=2_000), TwoDigits(pairs=2_000, noise=0.5)
    a, b = (torch.cat([batch.labels[RIGHT] for batch in batches(problem)]) for problem in (clean, noisy))
    assert 0.4 < (a != b).float().mean() < 0.5  # a tenth of the random labels are right by chance
    left = [torch.cat([batch.labels[LEFT] for batch in batches(problem)]) for problem in (clean, noisy)]
    assert torch.equal(*left)
    noisy.prepare()
    clean.prepare()
    assert torch.equal(noisy._fixed["test"].labels[RIGHT], clean._fixed["test"].labels[RIGHT])


def test_fewer_classes_name_the_remainder() -> None:
    assert set(batches(TwoDigits(right_classes=2))[0].labels[RIGHT].tolist()) == {0, 1}


def test_same_seed_same_order(digits: TwoDigits) -> None:
    assert torch.equal(batches(digits, 3)[1].pictures, batches(digits, 3)[1].pictures)
    assert not torch.equal(batches(digits, 3)[1].pictures, batches(digits, 4)[1].pictures)


def test_features_have_the_announced_shape_and_are_what_both_branches_read(digits: TwoDigits) -> None:
    network = digits.network(0)
    losses, shared = digits.losses(network, batches(digits)[0], [LEFT, RIGHT])
    assert tuple(shared.shape[1:]) == tuple(digits.features())
    for loss in losses.values():
        (gradient,) = torch.autograd.grad(loss, shared, retain_graph=True)
        assert gradient.abs().sum() > 0
    assert {id(p) for p in digits.shared_parameters(network)} <= {id(p) for p in network.trunk.parameters()}


def test_figures_are_accuracies(digits: TwoDigits) -> None:
    network = digits.network(0)
    for branch in network.branches.values():
        nn.init.zeros_(branch[-1].weight)
        nn.init.zeros_(branch[-1].bias)
        branch[-1].bias.data[3] = 1.0  # always says 3
    figures = digits.evaluate(network, "test", [LEFT, RIGHT])
    assert figures == {
        task: pytest.approx(float((labels == 3).float().mean()))
        for task, labels in digits._fixed["test"].labels.items()
    }


def test_impossible_knobs_are_refused() -> None:
    with pytest.raises(RecipeError, match="noise in"):
        TwoDigits(noise=2.0)


def test_the_knobs_that_change_nothing_leave_runs_as_they_were() -> None:
    plain = batches(TwoDigits(pairs=200))
    assert all(
        torch.equal(one.pictures, other.pictures)
        for one, other in zip(plain, batches(TwoDigits(pairs=200, right_scale=10.0, right_speed=0.25)), strict=True)
    )
    assert fingerprint(TwoDigits()) != fingerprint(TwoDigits(right_scale=10.0))


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.5, 1.0])
def test_the_digits_are_correlated_in_training_alone(correlation: float) -> None:
    problem = TwoDigits(pairs=2_000, correlation=correlation)
    problem.prepare()
    batch = batches(problem)
    left, right = (torch.cat([each.labels[task] for each in batch]).float() for task in (LEFT, RIGHT))
    assert float(torch.corrcoef(torch.stack([left, right]))[0, 1]) == pytest.approx(correlation, abs=0.07)
    tested = problem._fixed["test"].labels
    assert abs(float(torch.corrcoef(torch.stack([tested[LEFT], tested[RIGHT]]).float())[0, 1])) < 0.07


def test_scale_speed_and_share_of_digits(digits: TwoDigits) -> None:
    network = digits.network(0)
    batch = batches(digits)[0]
    with torch.no_grad():
        plain = digits.losses(network, batch, [LEFT, RIGHT])[0]
        scaled = TwoDigits(right_scale=10.0).losses(network, batch, [LEFT, RIGHT])[0]
    assert float(scaled[LEFT]) == float(plain[LEFT])
    assert float(scaled[RIGHT]) == pytest.approx(10 * float(plain[RIGHT]))
    groups = TwoDigits(right_speed=0.25).parameter_groups(network, 0.1)
    assert [group["lr"] for group in groups] == [0.1, 0.025]
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    few = batches(TwoDigits(digits=0.01, pairs=500))
    assert len({picture.numpy().tobytes() for each in few for picture in each.pictures[:, 0, :2, :8]}) <= 11
