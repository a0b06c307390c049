"""Two processes agree, and do what one process does with both halves of the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mien.weighting import DynamicWeighting, NaiveWeighting, UnitWeighting, WeightingError

RULES: dict[str, type[UnitWeighting]] = {"dynamic": DynamicWeighting, "naive": NaiveWeighting}


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


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    inputs = torch.load(f"{folder}/inputs.pt")[rank * 4 : rank * 4 + 4]
    result: dict[str, Any] = {rule: step(rule, inputs, wrap=True) for rule in RULES}
    result["partial"] = step("dynamic", inputs, with_b=0 if rank else 4, wrap=True)
    try:
        step("dynamic", inputs * (float("nan") if rank else 1))
    except WeightingError as error:
        result["error"] = str(error)
    torch.save(result, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_are_one_process_with_the_whole_batch(tmp_path: Path) -> None:
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
