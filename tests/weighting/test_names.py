"""A state belongs to the tasks that it was saved for, in every method."""

from __future__ import annotations

import pytest
import torch
from three_tasks import Net

from mien.weighting import (
    REGISTRY,
    InitialValue,
    NormalizedWeighting,
    RunningMean,
    TaskWeighting,
    WeightingError,
    build_weighting,
)

EVERY = pytest.mark.parametrize("name", REGISTRY)


def of(name: str, tasks: list[str], net: Net) -> TaskWeighting:
    weights = {task: 0.1 + number for number, task in enumerate(tasks)} if REGISTRY[name].needs_weights else None
    return build_weighting(name, tasks, 6, weights, shared_parameters=[net.last.weight])


@EVERY
def test_a_state_of_tasks_in_another_order_is_refused(name: str) -> None:
    net = Net()
    state = of(name, ["a", "b", "c"], net).state_dict()
    for tasks in (["b", "a", "c"], ["a", "b", "d"], ["a", "b"]):
        other = of(name, tasks, net)
        before = {key: value.clone() for key, value in other.state_dict().items()}
        with pytest.raises(WeightingError, match=r"saved for the tasks \['a', 'b', 'c'\].* same order"):
            other.load_state_dict(state)
        torch.testing.assert_close(dict(other.state_dict()), before, rtol=0, atol=0, equal_nan=True)


@EVERY
def test_a_state_without_names_is_taken_as_it_was_before_they_were_saved(name: str) -> None:
    net = Net()
    first, second = of(name, ["a", "b"], net), of(name, ["a", "b"], net)
    second.load_state_dict({key: value for key, value in first.state_dict().items() if "task_names" not in key})


@pytest.mark.parametrize("scale", [InitialValue, RunningMean])
def test_names_in_any_alphabet_survive_a_file_and_belong_to_a_normalised_method_too(
    scale: type[InitialValue], tmp_path
) -> None:
    def made(tasks: list[str]) -> NormalizedWeighting:
        return NormalizedWeighting(build_weighting("uncertainty", tasks, 1), scale(tasks))

    torch.save(made(["läuft", "表情"]).state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    made(["läuft", "表情"]).load_state_dict(state)
    with pytest.raises(WeightingError, match="läuft"):
        made(["表情", "läuft"]).load_state_dict(state)
