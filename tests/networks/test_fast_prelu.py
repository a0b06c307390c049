from __future__ import annotations

from collections import Counter
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from mien.contract import Contract
from mien.networks import Backbone, export_onnx, iresnet, split_prelus
from mien.networks.backbone import GlobalAverage
from mien.networks.iresnet import DEPTHS
from mien.networks.normalization import PixelNormalization
from mien.outputs import face_outputs

TEMPLATE = ((1.0, 1.0), (2.0, 1.0), (1.5, 2.0), (1.0, 3.0), (2.0, 3.0))


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


def lively(module: nn.Module) -> nn.Module:
    """Slopes and statistics as a trained network may have them: below 0 and above 1 too, and different per channel."""
    for layer in module.modules():
        if isinstance(layer, nn.PReLU):
            nn.init.uniform_(layer.weight, -0.5, 1.5)
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.2)
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return module.eval()


def convolution(channels_in: int, channels_out: int, *, depthwise: bool = False) -> nn.Sequential:
    groups = channels_in if depthwise else 1
    layer = nn.Conv2d(channels_in, channels_out, 3, 1 + depthwise, 1, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(channels_out), nn.PReLU(channels_out))


def small_backbone() -> Backbone:
    """Convolutions as MobileFaceNet has them, and a PReLU with one slope after features without a place."""
    stages = nn.ModuleList([convolution(3, 8), convolution(8, 8, depthwise=True), convolution(8, 12)])
    embedding = nn.Sequential(nn.Linear(12, 6), nn.BatchNorm1d(6), nn.PReLU(), nn.Linear(6, 5))
    return Backbone(
        stages,
        GlobalAverage(),
        embedding,
        pooled_size=12,
        embedding_size=5,
        unit_length=True,
        crop_size=16,
        normalize=PixelNormalization((127.5, 127.5, 127.5), 127.5),
    )


def exported(backbone: Backbone, folder: Path) -> Path:
    contract = Contract(
        "test", backbone.crop_size, TEMPLATE, face_outputs(backbone.embedding_size, ()), None, "none", "none"
    )
    path = folder / "model.onnx"
    export_onnx(backbone, contract, path)
    return path


@pytest.mark.parametrize("shape", [(4, 8, 6, 5), (4, 8)])
@pytest.mark.parametrize("slopes", [1, 8])
def test_it_is_the_same_function(shape: tuple[int, ...], slopes: int) -> None:
    prelu = lively(nn.Sequential(nn.PReLU(slopes)))
    x = torch.randn(shape, dtype=torch.float64) * 3
    split = split_prelus(deepcopy(prelu))
    torch.testing.assert_close(split.double()(x), prelu.double()(x), rtol=1e-14, atol=1e-14)


def test_every_prelu_is_replaced_also_where_one_is_shared() -> None:
    shared = nn.PReLU(4)
    module = nn.ModuleDict({"one": nn.Sequential(shared, nn.Conv2d(4, 4, 1), shared), "two": nn.ModuleList([shared])})
    assert split_prelus(module) is module
    assert not any(isinstance(layer, nn.PReLU) for layer in module.modules())


@pytest.mark.parametrize("backbone", [small_backbone(), iresnet(DEPTHS[18])], ids=["small", "iresnet18"])
def test_the_file_agrees_with_torch(backbone: Backbone, tmp_path: Path) -> None:
    backbone = lively(backbone)
    size = backbone.crop_size
    crops = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    (embedding,) = onnxruntime.InferenceSession(exported(backbone, tmp_path)).run(None, {"crops": crops})
    with torch.no_grad():
        expected: Tensor = backbone(torch.from_numpy(crops).permute(0, 3, 1, 2).float())
    np.testing.assert_allclose(embedding, expected.numpy(), rtol=0, atol=1e-6)
    assert any(isinstance(layer, nn.PReLU) for layer in backbone.modules())  # the network itself stays


@pytest.mark.parametrize(
    ("backbone", "prelus", "norms"),
    [(small_backbone(), 4, 0), (iresnet((1, 1, 1, 1)), 5, 5)],  # of iresnet: bn1 of each block, and the last
    ids=["small", "iresnet"],
)
def test_no_prelu_is_left_and_no_norm_after_a_convolution(
    backbone: Backbone, prelus: int, norms: int, tmp_path: Path
) -> None:
    model = onnx.load(exported(lively(backbone), tmp_path))
    counts = Counter(node.op_type for node in model.graph.node)
    assert counts["PRelu"] == 0
    assert counts["Relu"] == prelus
    assert counts["BatchNormalization"] == 2 * prelus + norms


def test_onnx_runtime_keeps_its_blocked_layout(tmp_path: Path) -> None:
    """Between the first convolution and the pooling no layout is changed."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    path = exported(lively(small_backbone()), tmp_path)
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    counts = Counter(node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node)
    if not counts["ReorderOutput"]:
        pytest.skip("this processor's ONNX Runtime has no blocked layout")
    assert (counts["ReorderInput"], counts["ReorderOutput"]) == (0, 1)
