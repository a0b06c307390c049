from __future__ import annotations

import json
from dataclasses import replace

from mien import __version__
from mien.cli.exits import ExitCode
from mien.contract import Contract
from mien.outputs import Probabilities, Scalar
from mien.runtime import Model
from mien.thresholds import Threshold, ThresholdTable


def test_json(cli):
    record = json.loads(cli("info", "--json").stdout)
    assert list(record) == ["version", "model", "runtime", "heic"]
    assert record["version"] == __version__
    assert record["runtime"]["providers_used"] == ["CPUExecutionProvider"]
    model = record["model"]
    contract = Model(model.pop("path")).contract
    short = {name: model.pop(name) for name in ("embedding_size", "expressions", "threshold")}
    assert Contract.from_json(json.dumps(model)) == contract
    assert short["embedding_size"] == contract.embedding_size
    assert short["expressions"] == list(contract.expressions)
    assert short["threshold"]["distance"] == contract.threshold.distance


def test_everything_is_shown(cli, tiny_model, tiny_contract):
    result = cli("info", "--model", tiny_model())
    assert result.exit_code == 0
    for shown in (
        __version__,
        "tiny-1",
        "8 x 8",
        "3 numbers",
        "10 at FAR 0.01",
        "neutral, happiness",
        "made in a test",
    ):
        assert shown in result.stdout
    nameless = tiny_contract.without("embedding")
    assert "none" in cli("info", "--model", tiny_model(nameless, outputs=("expression",))).stdout


def test_an_unusable_model(cli, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    result = cli("info", "--model", tmp_path / "bad.onnx")
    assert result.exit_code == ExitCode.ERROR
    assert "bad.onnx" in result.stderr


def test_all_thresholds_and_other_outputs_are_shown(cli, tiny_model, tiny_contract):
    """Wide enough that no line is broken."""
    table = ThresholdTable(
        (Threshold(12.0, 0.01, "a"), Threshold(9.5, 0.001, "b", far_interval=(0.0005, 0.002), impostor_pairs=9)), 0.001
    )
    others = (Scalar("age", "years", (0.0, 100.0)), Probabilities("glasses", ("none", "sun")))
    contract = replace(tiny_contract, thresholds=table, outputs=tiny_contract.outputs + others)
    shown = cli("info", "--model", tiny_model(contract, outputs=("embedding", "expression", "age", "glasses"))).stdout
    shown = " ".join(shown.split())
    assert "12 at FAR 0.01; a" in shown
    assert "9.5 at FAR 0.001 (95 % 0.0005 to 0.002), the default; b" in shown
    assert "age a number from 0 to 100 years" in shown
    assert "glasses none, sun" in shown
