from __future__ import annotations

import pytest

from mien.cli.exits import ExitCode


@pytest.mark.parametrize(
    "words",
    [
        "analyze obama.jpg",
        "verify obama.jpg obama2.jpg",
        "align . {new}",
        "gallery enroll Barack obama.jpg --gallery {new}.db",
        "gallery identify obama.jpg --gallery {new}.db",
        "calibrate .",
        "authenticate camera:0 --reference obama.jpg",
        "serve --gallery {new}.db --port 0",
    ],
)
def test_a_provider_that_is_not_there_is_one_sentence(cli, examples, tmp_path, monkeypatch, words):
    monkeypatch.chdir(examples)
    result = cli(*words.format(new=tmp_path / "new").split(), "--provider", "NoExecutionProvider")
    assert result.exit_code == ExitCode.ERROR, result.output
    assert "this ONNX Runtime has no NoExecutionProvider; choose from " in result.stderr


def test_a_provider_that_is_there_is_used(cli, examples):
    given = cli("analyze", examples / "obama.jpg", "--json", "--provider", "CPUExecutionProvider")
    assert given.exit_code == ExitCode.DONE
    assert given.stdout == cli("analyze", examples / "obama.jpg", "--json").stdout
