from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra train")

from mien.cli.exits import ExitCode


def test_a_threshold_of_ones_own_needs_its_rate(cli, tmp_path):
    result = cli("export", tmp_path / "best.pt", tmp_path / "model.onnx", "--threshold", "0.6")
    assert result.exit_code == ExitCode.USAGE
    assert "--threshold needs --far" in " ".join(result.stderr.split())


def test_there_must_be_a_folder_for_the_file_before_any_work(cli, tmp_path):
    result = cli("export", tmp_path / "best.pt", tmp_path / "models" / "model.onnx")
    assert result.exit_code == ExitCode.ERROR
    assert (
        result.stderr
        == f"mien: there is no folder {tmp_path / 'models'} for the model file; make it, or give another path\n"
    )
