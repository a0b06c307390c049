"""Convert the MTCNN weights of the facenet-pytorch wheel (MIT) to the three ONNX files that mien ships.

The graphs take ``uint8`` RGB images ``(N, H, W, 3)``, as photos are stored, so that no caller has to know the
normalisation: ``(x - 127.5) / 128`` is folded into the first convolution, and the softmax over (no face, face) into a
sigmoid of the difference of the two logits. All rewriting is exact but for rounding.

    python tools/convert_mtcnn.py [folder for the files, default src/mien/pretrained]
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
SOURCE = "facenet-pytorch 2.6.0 (MIT, Timothy Esler); Zhang et al. 2016, doi:10.1109/LSP.2016.2603342"

Array = NDArray[np.float64]


class GraphWriter:
    """Appends the nodes of one chain to an ONNX graph, taking each layer's weights by the layer's name."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: Array | NDArray[np.int64]) -> str:
        """Store a constant, floats as float32, and return its name."""
        dtype = np.int64 if values.dtype == np.int64 else np.float32
        self.constants.append(numpy_helper.from_array(values.astype(dtype), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append one node and return its output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def pixels(self, images: str) -> str:
        """uint8 (N, H, W, 3) to float32 (N, 3, H, W), not yet normalised."""
        floats = self.node("Cast", [images], "floats", to=TensorProto.FLOAT)
        return self.node("Transpose", [floats], "pixels", perm=[0, 3, 1, 2])

    def convolution(self, x: str, name: str, weight: Array | None = None, bias: Array | None = None) -> str:
        """A convolution without padding."""
        weight = self.weights[f"{name}.weight"] if weight is None else weight
        bias = self.weights[f"{name}.bias"] if bias is None else bias
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]))

    def first_convolution(self, x: str, name: str = "conv1") -> str:
        """The convolution that reads raw pixels: the normalisation (x - 127.5) / 128 folded into it."""
        weight = self.weights[f"{name}.weight"] / 128
        bias = self.weights[f"{name}.bias"] - 127.5 * weight.sum(axis=(1, 2, 3))
        return self.convolution(x, name, weight, bias)

    def linear(self, x: str, name: str, weight: Array | None = None, bias: Array | None = None) -> str:
        """A linear layer on (N, features)."""
        weight = self.weights[f"{name}.weight"] if weight is None else weight
        bias = self.weights[f"{name}.bias"] if bias is None else bias
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.node("Gemm", inputs, name, transB=1)

    def prelu(self, x: str, name: str, *, spatial: bool = True) -> str:
        """A leaky rectifier with one slope a channel, as ``a x + (1 - a) max(x, 0)``.

        ONNX has an operator for it, which takes half of the whole time in ONNX Runtime 1.32 on a CPU.
        """
        slope = self.weights[f"{name}.weight"]
        slope = slope[:, None, None] if spatial else slope
        below = self.node("Mul", [x, self.constant(f"{name}.slope", slope)], f"{name}_below")
        above = self.node("Relu", [x], f"{name}_above")
        above = self.node("Mul", [above, self.constant(f"{name}.rest", 1 - slope)], f"{name}_rest")
        return self.node("Add", [below, above], f"{name}_out")

    def pool(self, x: str, name: str, size: int) -> str:
        """Max pooling with stride 2; a last incomplete window counts."""
        return self.node("MaxPool", [x], name, kernel_shape=[size, size], strides=[2, 2], ceil_mode=1)

    def flatten(self, x: str, features: int) -> str:
        """(N, C, H, W) to (N, W * H * C): column by column, as the weights were trained (in MATLAB's order)."""
        turned = self.node("Transpose", [x], "turned", perm=[0, 3, 2, 1])
        return self.node("Reshape", [turned, self.constant("flat", np.array([-1, features]))], "features")

    def model(self, name: str, images: list[str | int], outputs: Mapping[str, list[str | int]]) -> onnx.ModelProto:
        """Close the graph and check it."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("images", TensorProto.UINT8, images)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape) for output, shape in outputs.items()],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "mien"
        helper.set_model_props(model, {"source": SOURCE})
        onnx.checker.check_model(model, full_check=True)
        return model


def face_row(weights: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """Weight and bias of ``logit(face) - logit(no face)``: the sigmoid of it is the softmax's second value."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return weight[1:] - weight[:1], bias[1:] - bias[:1]


def proposal_net(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """P-Net: fully convolutional, one score and four offsets for every 12x12 window at stride 2."""
    writer = GraphWriter(weights)
    x = writer.prelu(writer.first_convolution(writer.pixels("images")), "prelu1")
    x = writer.pool(x, "pool1", 2)
    x = writer.prelu(writer.convolution(x, "conv2"), "prelu2")
    x = writer.prelu(writer.convolution(x, "conv3"), "prelu3")
    writer.node("Sigmoid", [writer.convolution(x, "conv4_1", *face_row(weights, "conv4_1"))], "scores")
    offsets = writer.convolution(x, "conv4_2")
    writer.node("Identity", [offsets], "offsets")
    outputs: dict[str, list[str | int]] = {
        "scores": ["N", 1, "rows", "columns"],
        "offsets": ["N", 4, "rows", "columns"],
    }
    return writer.model("mtcnn-pnet", ["N", "H", "W", 3], outputs)


def refinement_net(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """R-Net: score and offsets of 24x24 crops."""
    writer = GraphWriter(weights)
    x = writer.prelu(writer.first_convolution(writer.pixels("images")), "prelu1")
    x = writer.pool(x, "pool1", 3)
    x = writer.prelu(writer.convolution(x, "conv2"), "prelu2")
    x = writer.pool(x, "pool2", 3)
    x = writer.prelu(writer.convolution(x, "conv3"), "prelu3")
    x = writer.prelu(writer.linear(writer.flatten(x, 576), "dense4"), "prelu4", spatial=False)
    writer.node("Sigmoid", [writer.linear(x, "dense5_1", *face_row(weights, "dense5_1"))], "scores")
    writer.node("Identity", [writer.linear(x, "dense5_2")], "offsets")
    return writer.model("mtcnn-rnet", ["N", 24, 24, 3], {"scores": ["N", 1], "offsets": ["N", 4]})


def output_net(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """O-Net: score, offsets and five landmarks of 48x48 crops."""
    writer = GraphWriter(weights)
    x = writer.prelu(writer.first_convolution(writer.pixels("images")), "prelu1")
    x = writer.pool(x, "pool1", 3)
    x = writer.prelu(writer.convolution(x, "conv2"), "prelu2")
    x = writer.pool(x, "pool2", 3)
    x = writer.prelu(writer.convolution(x, "conv3"), "prelu3")
    x = writer.pool(x, "pool3", 2)
    x = writer.prelu(writer.convolution(x, "conv4"), "prelu4")
    x = writer.prelu(writer.linear(writer.flatten(x, 1152), "dense5"), "prelu5", spatial=False)
    writer.node("Sigmoid", [writer.linear(x, "dense6_1", *face_row(weights, "dense6_1"))], "scores")
    writer.node("Identity", [writer.linear(x, "dense6_2")], "offsets")
    # The weights give five x, then five y; mien wants five (x, y).
    order = np.arange(10).reshape(2, 5).T.ravel()
    points = writer.linear(x, "dense6_3", weights["dense6_3.weight"][order], weights["dense6_3.bias"][order])
    writer.node("Reshape", [points, writer.constant("pairs", np.array([-1, 5, 2]))], "landmarks")
    outputs: dict[str, list[str | int]] = {"scores": ["N", 1], "offsets": ["N", 4], "landmarks": ["N", 5, 2]}
    return writer.model("mtcnn-onet", ["N", 48, 48, 3], outputs)


def read_weights(path: Path) -> dict[str, Array]:
    """Read a state dict without running code from it."""
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.double().numpy() for name, tensor in state.items()}


def main(folder: str = "src/mien/pretrained") -> None:
    """Write the three files."""
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        sys.exit("facenet-pytorch is not installed; run: pip install --no-deps facenet-pytorch==2.6.0")
    data = Path(spec.origin).parent / "data"
    builders = {"pnet": proposal_net, "rnet": refinement_net, "onet": output_net}
    for name, build in builders.items():
        path = Path(folder) / f"mtcnn-{name}.onnx"
        onnx.save(build(read_weights(data / f"{name}.pt")), path)
        sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
