"""Two processes agree, and do what one process does with both halves of the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mien.weighting import (
    REGISTRY,
    DynamicWeighting,
    NaiveWeighting,
    TaskWeighting,
    UnitWeighting,
    WeightingError,
    build_weighting,
    parameter_groups,
)

RULES: dict[str, type[UnitWeighting]] = {"dynamic": DynamicWeighting, "naive": NaiveWeighting}
REPEATED = [name for name, method in REGISTRY.items() if method.kind.needs_shared_parameters]
SAFE = [name for name, method in REGISTRY.items() if method.family != "per-gradient"]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.a, self.b = nn.Linear(5, 6), nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, inputs: Tensor, with_b: int = 8) -> tuple[Tensor, Tensor, Tensor]:
        shared = torch.tanh(self.trunk(inputs))
        return shared, self.a(shared).square().mean(), (self.b(shared[:with_b]) - 2).square().mean()


def step(rule: str, inputs: Tensor, with_b: int = 8, wrap: bool = False) -> dict[str, Any]:
    torch.manual_seed(0)
    net, weighting = Net(), RULES[rule](["a", "b"], 6, leak=True)
    nn.init.normal_(weighting.unit.linear.bias)
    model = DistributedDataParallel(net, find_unused_parameters=True) if wrap else net
    shared, a, b = model(inputs, with_b)
    total = weighting.backward({"a": a, "b": b} if with_b else {"a": a}, shared)
    parameters = [*net.parameters(), *weighting.parameters()]
    return {"total": total, "weights": weighting.last_weights, "gradients": [p.grad for p in parameters]}


def make(name: str, net: Net, seed: int = 0) -> TaskWeighting:
    torch.manual_seed(seed)
    weights = {"a": 0.7, "b": 0.3} if REGISTRY[name].needs_weights else None
    return build_weighting(name, ["a", "b"], 6, weights, shared_parameters=[net.trunk.weight])


def run(name: str, inputs: Tensor, rank: int = 0, wrap: bool = False, static: bool = False) -> dict[str, Any]:
    """Train for some steps; ranks are given different seeds on purpose."""
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net, seed=rank)
    model = DistributedDataParallel(net, find_unused_parameters=not static, static_graph=static) if wrap else net
    optimizer = torch.optim.SGD(parameter_groups(net, weighting, lr=0.05))
    totals = []
    for number in range(6):
        optimizer.zero_grad()
        shared, a, b = model(inputs)
        losses = {"b": b} if number == 3 and not static else {"a": a, "b": b}
        totals.append(weighting.backward(losses, shared))
        optimizer.step()
        if weighting.needs_losses_after_step:
            with torch.no_grad():
                weighting.after_step(dict(zip("ab", net(inputs)[1:], strict=True)))
        if number % 2:
            weighting.end_epoch()
    return {"totals": totals, "net": list(net.state_dict().values()), "method": dict(weighting.state_dict())}


def error_of(call: Any) -> str:
    try:
        call()
    except WeightingError as error:
        return str(error)
    return ""


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    inputs = torch.load(f"{folder}/inputs.pt")[rank * 4 : rank * 4 + 4]
    result: dict[str, Any] = {rule: step(rule, inputs, wrap=True) for rule in RULES}
    result["partial"] = step("dynamic", inputs, with_b=0 if rank else 4, wrap=True)
    result["error"] = error_of(lambda: step("dynamic", inputs * (float("nan") if rank else 1)))
    result["static"] = {name: run(name, inputs, rank, wrap=True, static=True) for name in SAFE if name not in REPEATED}
    result["static refused"] = [
        error_of(lambda name=name: run(name, inputs, rank, wrap=True, static=True)) for name in REPEATED
    ]
    result["runs"] = {name: run(name, inputs, rank, wrap=True) for name in SAFE}
    net = Net()
    shared, a, b = net(inputs)
    result["refused"] = {
        name: error_of(lambda name=name: make(name, net).backward({"a": a, "b": b}, shared))
        for name in REGISTRY
        if name not in SAFE
    }
    torch.save(result, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_are_one_process_with_the_whole_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # the new processes import this module by its name
    inputs = torch.randn(8, 5)
    torch.save(inputs, tmp_path / "inputs.pt")
    torch.multiprocessing.spawn(worker, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    for rule in RULES:
        torch.testing.assert_close(first[rule], second[rule], rtol=0, atol=0)
        torch.testing.assert_close(first[rule], step(rule, inputs))
    torch.testing.assert_close(first["partial"], second["partial"], rtol=0, atol=0)
    torch.testing.assert_close(first["partial"], step("dynamic", inputs, with_b=4))
    assert "not finite" in first["error"]
    assert first["error"] == second["error"]
    for name in SAFE:
        torch.testing.assert_close(first["runs"][name], second["runs"][name], rtol=0, atol=0, equal_nan=True, msg=name)
        alone = run(name, inputs)
        torch.testing.assert_close(first["runs"][name], alone, rtol=1e-4, atol=1e-5, equal_nan=True, msg=name)
        if name not in REPEATED:
            alone = run(name, inputs, static=True)
            torch.testing.assert_close(first["static"][name], alone, rtol=1e-4, atol=1e-5, equal_nan=True, msg=name)
    assert all("leave static_graph out" in message for message in first["static refused"])
    assert first["refused"]
    assert all("which DistributedDataParallel does not average" in message for message in first["refused"].values())
