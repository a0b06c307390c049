"""What a training loop forgot, and what lets a method learn nothing, is told once by name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from three_tasks import Net, make

from mien.weighting import REGISTRY, WeightingWarning, parameter_groups
from mien.weighting.dwa import LONG_EPOCH
from mien.weighting.reminders import STEPS

LEARNED = [name for name in REGISTRY if any(True for _ in make(name, Net()).parameters())]
AFTER_STEP = [name for name, method in REGISTRY.items() if method.kind.needs_losses_after_step]
EPOCHS = [name for name, method in REGISTRY.items() if method.kind.needs_epoch_ends]


@contextmanager
def told(*fragments: str) -> Iterator[None]:
    """Exactly one warning, which says all this; none without fragments."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    messages = [str(each.message) for each in caught if issubclass(each.category, WeightingWarning)]
    assert len(messages) == bool(fragments), messages
    assert all(fragment in message for message in messages for fragment in fragments)


def train(name: str, steps: int, *, own: bool = True, after_step: bool = True, epoch: int = 10) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    groups = parameter_groups(net, weighting, lr=1e-3)
    optimizer = torch.optim.SGD(groups if own else groups[:1])
    inputs = torch.randn(4, 5)
    for number in range(steps):
        optimizer.zero_grad()
        weighting.backward(*net(inputs))
        optimizer.step()
        if after_step and weighting.needs_losses_after_step:
            with torch.no_grad():
                weighting.after_step(net(inputs)[0])
        if epoch and number % epoch == epoch - 1:
            weighting.end_epoch()


def test_there_are_such_methods() -> None:
    assert {"dynamic", "naive", "constant-input", "uncertainty", "imtl-l", "gradnorm"} <= set(LEARNED)
    assert (AFTER_STEP, EPOCHS) == (["famo"], ["dwa"])


@pytest.mark.parametrize("name", LEARNED)
def test_parameters_that_no_optimizer_has(name: str) -> None:
    kind = REGISTRY[name].kind.__name__
    with told(kind, "never changed", "parameter_groups"):
        train(name, 2 * STEPS, own=False)


@pytest.mark.parametrize("name", LEARNED)
def test_parameters_that_an_optimizer_has(name: str) -> None:
    with told():
        train(name, STEPS + 1)


@pytest.mark.parametrize("name", AFTER_STEP)
def test_losses_that_are_never_measured_again(name: str) -> None:
    with told("FAMO", "`after_step` was never called"):
        train(name, 2 * STEPS, after_step=False)
    with told():
        train(name, STEPS + 1)


@pytest.mark.parametrize("name", EPOCHS)
def test_epochs_that_never_end(name: str) -> None:
    with told("DynamicWeightAverage", "`end_epoch` was not called"):
        train(name, LONG_EPOCH + 1, epoch=0)
    with told():
        train(name, LONG_EPOCH + 1, epoch=LONG_EPOCH - 1)


def test_the_objective_counts_too() -> None:
    net = Net()
    weighting = make("uncertainty", net)
    with told("UncertaintyWeighting"):
        for _ in range(STEPS):
            weighting(*net(torch.randn(4, 5))).backward()
