"""Someone else's script of thirty lines, run as it stands: three methods, one line apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
import sys

import torch
from torchjd.aggregation import UPGrad

from mien.weighting import DynamicWeighting, GradientWeighting, GradNorm, parameter_groups

torch.manual_seed(0)
inputs = torch.randn(256, 10)
goals = {"sum": inputs.sum(1, keepdim=True), "size": inputs.norm(dim=1, keepdim=True), "max": inputs.amax(1, True)}
trunk = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 16), torch.nn.Tanh())
heads = torch.nn.ModuleDict({task: torch.nn.Linear(16, 1) for task in goals})
network = torch.nn.ModuleList([trunk, heads])
match sys.argv[1]:
    case "dynamic":
        weighting = DynamicWeighting(list(goals), features=16)
    case "gradnorm":
        weighting = GradNorm(list(goals), [trunk[2].weight])
    case "upgrad":
        weighting = GradientWeighting(list(goals), UPGrad())
optimizer = torch.optim.Adam(parameter_groups(network, weighting, lr=1e-2))
for _ in range(150):
    shared = trunk(inputs)
    losses = {task: (heads[task](shared) - goal).square().mean() for task, goal in goals.items()}
    optimizer.zero_grad()
    total = weighting.backward(losses, features=shared)
    optimizer.step()
print(*(float(loss.detach()) for loss in losses.values()))
"""


@pytest.mark.parametrize("method", ["dynamic", "gradnorm", "upgrad"])
def test_a_strangers_script(method: str, tmp_path: Path) -> None:
    (tmp_path / "stranger.py").write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, "-W", "error", "stranger.py", method],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    losses = [float(word) for word in run.stdout.split()]
    assert len(losses) == 3
    assert max(losses) < 1.0  # the variance of the first goal is 10


def test_the_script_is_short() -> None:
    assert len(SCRIPT.splitlines()) <= 34
