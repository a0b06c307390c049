"""Someone else's script with three unlike tasks from two loaders, which runs with every method by one name."""

from __future__ import annotations

import math
import sys

import pytest

from mien.weighting import REGISTRY

SCRIPT = """\
import sys

import torch
from torch.nn import functional as F

from mien.weighting import build_weighting, parameter_groups

METHOD = sys.argv[1]
torch.manual_seed(0)
photos = torch.utils.data.DataLoader(torch.randn(64, 10), batch_size=16, shuffle=True)
scans = torch.utils.data.DataLoader(torch.randn(48, 10), batch_size=12, shuffle=True)
tasks = {"sign": 2, "size": 1, "copy": 10}
trunk = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 8), torch.nn.Tanh())
heads = torch.nn.ModuleDict({task: torch.nn.Linear(8, size) for task, size in tasks.items()})
weights = dict.fromkeys(tasks, 1 / 3) if METHOD == "fixed" else None
weighting = build_weighting(METHOD, list(tasks), features=8, weights=weights, shared_parameters=[trunk[2].weight])
network = torch.nn.ModuleList([trunk, heads])
optimizer = torch.optim.Adam(parameter_groups(network, weighting, lr=1e-2))


def forward(photo, scan):
    one, other = trunk(photo), trunk(scan)
    losses = {
        "sign": F.cross_entropy(heads["sign"](one), (photo[:, 0] > 0).long()),
        "size": 100 * F.mse_loss(heads["size"](one)[:, 0], photo.norm(dim=1)),
        "copy": F.l1_loss(heads["copy"](other), scan),
    }
    return losses, {"sign": one, "size": one, "copy": other}


for epoch in range(3):
    for photo, scan in zip(photos, scans, strict=True):
        losses, features = forward(photo, scan)
        optimizer.zero_grad()
        weighting.backward(losses, features=features)
        optimizer.step()
        if weighting.needs_losses_after_step:
            with torch.no_grad():
                weighting.after_step(forward(photo, scan)[0])
    weighting.end_epoch()
result = [loss.item() for loss in losses.values()]
"""


@pytest.mark.parametrize("method", REGISTRY)
@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")  # of Nash-MTL
def test_every_method_runs_by_its_name(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stranger.py", method])
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(SCRIPT, "stranger.py", "exec"), names)
    assert all(map(math.isfinite, names["result"]))
    weights = list(names["weighting"].weights.values())
    assert method in ("graddrop", "config") or all(map(math.isfinite, weights))
