"""Tiny model files that keep, or break, the contract; and the example photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from mien.contract import METADATA_KEY, Contract
from mien.outputs import face_outputs
from mien.thresholds import Threshold, ThresholdTable
from mien.types import Expression

# A busy machine is no fault of the code.
settings.register_profile("mien", deadline=None)
settings.load_profile("mien")


@pytest.fixture(scope="session")
def examples():
    return Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="session")
def tiny_contract():
    return Contract(
        model_id="tiny-1",
        crop_size=8,
        template=((2.0, 3.0), (6.0, 3.0), (4.0, 4.5), (2.5, 6.0), (5.5, 6.0)),
        outputs=face_outputs(3, (Expression.NEUTRAL, Expression.HAPPINESS), normalized=False),
        thresholds=ThresholdTable.of(Threshold(10.0, 0.01, "nothing")),
        provenance="made in a test",
        terms="none",
    )


@pytest.fixture
def tiny_model(tmp_path, tiny_contract):
    """Writer of model files: the embedding is the mean colour, the expression a softmax of mean red and green."""
    from onnx import TensorProto, helper, numpy_helper, save

    def write(
        contract=tiny_contract,
        *,
        outputs=("embedding", "expression"),
        widths=(3, 2),
        batch="N",
        size=8,
        input_name="crops",
        input_type=TensorProto.UINT8,
        metadata=None,
    ):
        embedding_width, expression_width = widths
        nodes = [
            helper.make_node("Cast", [input_name], ["float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["float", "axes"], ["colour"], keepdims=0),
        ]
        constants = [numpy_helper.from_array(np.array([1, 2], np.int64), "axes")]
        values = []
        if "embedding" in outputs:
            constants.append(numpy_helper.from_array(np.eye(3, embedding_width, dtype=np.float32), "pick"))
            nodes.append(helper.make_node("MatMul", ["colour", "pick"], ["embedding"]))
            values.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, embedding_width]))
        if "age" in outputs:  # mean red
            nodes.append(helper.make_node("Gather", ["colour", "first"], ["age"], axis=1))
            constants.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
            values.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, [batch, 1]))
        if "glasses" in outputs:  # softmax of mean green and blue
            nodes.append(helper.make_node("Gather", ["colour", "last"], ["last colours"], axis=1))
            nodes.append(helper.make_node("Softmax", ["last colours"], ["glasses"], axis=1))
            constants.append(numpy_helper.from_array(np.array([1, 2], np.int64), "last"))
            values.append(helper.make_tensor_value_info("glasses", TensorProto.FLOAT, [batch, 2]))
        if "expression" in outputs:
            constants.append(numpy_helper.from_array(np.eye(3, expression_width, dtype=np.float32), "classes"))
            nodes.append(helper.make_node("MatMul", ["colour", "classes"], ["logits"]))
            nodes.append(helper.make_node("Softmax", ["logits"], ["expression"], axis=1))
            values.append(helper.make_tensor_value_info("expression", TensorProto.FLOAT, [batch, expression_width]))
        crops = helper.make_tensor_value_info(input_name, input_type, [batch, size, size, 3])
        graph = helper.make_graph(nodes, "tiny", [crops], values, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        text = contract.to_json() if metadata is None else metadata
        if text:
            helper.set_model_props(model, {METADATA_KEY: text})
        path = tmp_path / f"tiny-{len(list(tmp_path.glob('*.onnx')))}.onnx"
        save(model, path)
        return path

    return write
