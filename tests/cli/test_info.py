from __future__ import annotations

import json
from dataclasses import replace

from mien import __version__
from mien.cli.exits import ExitCode
from mien.contract import Contract
from mien.runtime import Model


def test_json(cli):
    record = json.loads(cli("info", "--json").stdout)
    assert list(record) == ["version", "model", "runtime", "heic"]
    assert record["version"] == __version__
    assert record["runtime"]["providers_used"] == ["CPUExecutionProvider"]
    path = record["model"].pop("path")
    assert Contract.from_json(json.dumps(record["model"])) == Model(path).contract


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
    nameless = replace(tiny_contract, embedding_size=0, threshold=None)
    assert "none" in cli("info", "--model", tiny_model(nameless, outputs=("expression",))).stdout


def test_an_unusable_model(cli, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    result = cli("info", "--model", tmp_path / "bad.onnx")
    assert result.exit_code == ExitCode.ERROR
    assert "bad.onnx" in result.stderr
