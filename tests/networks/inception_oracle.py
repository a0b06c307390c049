"""facenet-pytorch's InceptionResnetV1 as an oracle, loaded by path: its package wants an old torch, and torchvision."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn


def load(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """The full network with random weights and statistics, in evaluation mode."""
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        pytest.skip("facenet-pytorch is not installed (make dev installs it)")
    package = ModuleType("inception_oracle_package")
    package.__path__ = [str(Path(spec.origin).parent / "models")]
    stubs = {name: ModuleType(name) for name in ("requests", "requests.adapters", f"{package.__name__}.utils.download")}
    stubs["requests.adapters"].HTTPAdapter = None  # all three serve its download alone
    stubs[f"{package.__name__}.utils.download"].download_url_to_file = None
    for name, stub in {**stubs, package.__name__: package}.items():
        monkeypatch.setitem(sys.modules, name, stub)
    for name in ("inception_resnet_v1", "utils"):
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
    module = importlib.import_module(f"{package.__name__}.inception_resnet_v1")
    return _randomize(module.InceptionResnetV1())


@torch.no_grad()
def _randomize(network: nn.Module) -> nn.Module:
    """Give every scale, shift and statistic a value of its own, so that none may be left out or exchanged."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.2, 1.0)
    return network.eval()
