from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mien import __version__
from mien.cli import app
from mien.cli.exits import EXIT_CODES, ExitCode


def test_version(cli):
    assert cli("--version").stdout == f"mien {__version__}\n"


@pytest.mark.parametrize("command", ["", "analyze", "verify", "align", "info"])
def test_help_tells_the_exit_codes(cli, command):
    result = cli(*command.split(), "--help")
    assert result.exit_code == 0
    assert " ".join(result.stdout.split()).endswith(EXIT_CODES)


def test_exit_codes_are_documented():
    assert all(f"{code.value} " in EXIT_CODES for code in ExitCode)


def test_wrong_usage(cli):
    assert cli("analyse", "x").exit_code == ExitCode.USAGE
    assert cli("verify", "x").exit_code == ExitCode.USAGE


def test_a_missing_extra_is_named(cli, monkeypatch):
    monkeypatch.setitem(app.COMMANDS, "grow", app.Command("mien.no_such_module", "Grow.", extra="train"))
    result = cli("grow", "recipe.yaml", "--fast")
    assert result.exit_code == ExitCode.ERROR
    assert "mien grow" in result.stderr
    assert "pip install 'mien[train]'" in result.stderr


def test_an_extra_that_is_missed_late_is_named_too(cli, monkeypatch, tmp_path):
    (tmp_path / "growing.py").write_text("def grow():\n    import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(app.COMMANDS, "grow", app.Command("growing", "Grow.", extra="train"))
    result = cli("grow")
    assert result.exit_code == ExitCode.ERROR
    assert "no_such_package" in result.stderr
    assert "pip install 'mien[train]'" in result.stderr


def test_the_command_line_imports_only_what_it_needs():
    program = (
        "import sys; sys.argv = ['mien', {}]\n"
        "try: from mien.cli import main; main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )

    def modules(arguments):
        run = subprocess.run(
            [sys.executable, "-c", program.format(arguments)], capture_output=True, text=True, check=True
        )
        return set(run.stdout.split())

    assert not modules("'--help'") & {"torch", "onnxruntime", "numpy", "PIL"}
    assert not modules("'analyze', 'examples/obama.jpg', '--json'") & {"torch", "onnx", "yaml"}


def test_what_the_terminals_encoding_lacks_is_escaped(examples, tmp_path):
    photo = tmp_path / "Łódź.jpg"
    photo.write_bytes((examples / "obama.jpg").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "mien", "analyze", photo],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u0141\xf3d\\u017a.jpg" in done.stdout


@pytest.mark.parametrize(
    ("fault", "code"), [(ZeroDivisionError, ExitCode.FAULT), (KeyboardInterrupt, ExitCode.INTERRUPTED)]
)
def test_neither_a_fault_nor_an_interrupted_start_looks_like_an_answer(monkeypatch, capsys, fault, code):
    def broken(_):
        raise fault

    monkeypatch.setattr(app, "import_module", broken)
    monkeypatch.setattr(sys, "argv", ["mien", "verify", "a.jpg", "b.jpg"])
    with pytest.raises(SystemExit) as ended:
        app.run()
    assert ended.value.code == code
    assert ("ZeroDivisionError" in capsys.readouterr().err) == (fault is ZeroDivisionError)
