"""facenet-pytorch's MTCNN as an oracle, loaded by path: its package wants an old torch, and torchvision."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")


def batched_nms(boxes, scores, groups, threshold: float):
    """The one function that it takes from torchvision: greedy suppression within each group."""
    kept: list[int] = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        others = [j for j in kept if groups[j] == groups[i]]
        if others:
            low = torch.maximum(boxes[i, :2], boxes[others, :2])
            sides = (torch.minimum(boxes[i, 2:], boxes[others, 2:]) - low).clamp(min=0)
            shared = sides.prod(dim=1)
            area = (boxes[i, 2:] - boxes[i, :2]).prod()
            other_areas = (boxes[others, 2:] - boxes[others, :2]).prod(dim=1)
            if (shared / (area + other_areas - shared) > threshold).any():
                continue
        kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import its module ``mtcnn`` without running its package's ``__init__``."""
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        pytest.skip("facenet-pytorch is not installed (make dev installs it)")
    stubs = {
        name: ModuleType(name)
        for name in ("torchvision", "torchvision.transforms", "torchvision.ops", "torchvision.ops.boxes")
    }
    stubs["torchvision.transforms"].functional = ModuleType("functional")
    stubs["torchvision.ops.boxes"].batched_nms = batched_nms
    package = ModuleType("mtcnn_oracle_package")
    package.__path__ = [str(Path(spec.origin).parent / "models")]
    for name, module in {**stubs, package.__name__: package}.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("mtcnn", "utils", "utils.detect_face"):
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
    return importlib.import_module(f"{package.__name__}.mtcnn")
