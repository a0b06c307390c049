from __future__ import annotations

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from mien.cli.exits import ExitCode


def test_an_adopted_model_is_taken_by_other_commands(cli, tmp_path, examples):
    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["colours"]),
        helper.make_node("Reshape", ["colours", "shape"], ["fc1"]),
    ]
    shape = numpy_helper.from_array(np.array([-1, 3], np.int64), "shape")
    taken = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, 112, 112])
    given = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "colours", [taken], [given], [shape])
    path = tmp_path / "colours.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)

    assert cli("info", "--model", path).exit_code == ExitCode.ERROR
    result = cli("adopt", path, "--provenance", "made in a test", "--terms", "none", "--mean", "0", "--scale", "1")
    assert result.exit_code == ExitCode.DONE
    assert "colours.contract.json" in result.stderr
    assert "mien calibrate" in result.stderr
    model = json.loads(cli("info", "--model", path, "--json").stdout)["model"]
    assert (model["embedding_size"], model["provenance"], model["threshold"]) == (3, "made in a test", None)
    photo = examples / "obama.jpg"
    assert cli("verify", photo, photo, "--model", path, "--threshold", "0.1").exit_code == ExitCode.DONE


def test_another_kind_of_model_is_one_sentence(cli, tiny_model):
    result = cli("adopt", tiny_model(), "--provenance", "", "--terms", "")
    assert result.exit_code == ExitCode.ERROR
    assert "only identity models of the ArcFace line" in result.stderr
