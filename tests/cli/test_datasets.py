from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mien.cli.exits import EXIT_CODES, ExitCode
from mien.datasets import LAYOUTS


@pytest.fixture
def london(tmp_path: Path) -> Path:
    for number in range(102):
        for name in (f"neutral_front/{number:03d}_03.jpg", f"smiling_front/{number:03d}_08.jpg"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (4, 4)).save(path)
    return tmp_path


def test_the_list(cli) -> None:
    result = cli("datasets")
    assert result.exit_code == ExitCode.DONE
    first_words = [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert first_words == ["name", *LAYOUTS]


def test_the_list_as_json(cli) -> None:
    records = {record["name"]: record for record in json.loads(cli("datasets", "--json").stdout)}
    assert list(records) == list(LAYOUTS)
    oulu = records["oulu-casia"]
    assert oulu["people"] == 80
    assert "vl-strong" in oulu["parts"]
    assert oulu["licence"].startswith("signed")
    assert records["jaffe"]["unsure"]


def test_a_complete_set(cli, london: Path) -> None:
    result = cli("datasets", "check", "london", london)
    assert result.exit_code == ExitCode.DONE
    assert "differs" not in result.stdout


def test_an_incomplete_set(cli, london: Path) -> None:
    (london / "smiling_front/007_08.jpg").unlink()
    (london / "smiling_front/008_08.jpg").write_bytes(b"damaged")
    (london / "portrait.jpg").write_bytes(b"another")
    result = cli("datasets", "check", "london", london, "--decode")
    assert result.exit_code == ExitCode.DIFFERENT
    assert "1 photos are damaged: smiling_front/008_08.jpg" in result.stderr
    assert "left out: 1 (portrait.jpg), as its path is not as expected" in result.stderr
    record = json.loads(cli("datasets", "check", "london", london, "--json").stdout)
    assert record["complete"] is False
    assert {"what": "happiness", "found": 101, "official": 102} in record["figures"]
    assert record["skipped"] == [{"name": "portrait.jpg", "reason": "its path is not as expected"}]


def test_another_folder_and_another_name(cli, london: Path) -> None:
    result = cli("datasets", "check", "ck-plus", london)
    assert result.exit_code == ExitCode.ERROR
    assert "cohn-kanade-images/S005/001/S005_001_00000011.png" in result.stderr
    result = cli("datasets", "check", "londres", london)
    assert result.exit_code == ExitCode.ERROR
    assert "choose one of: ck-plus" in result.stderr
    assert cli("datasets", "check", "london").exit_code == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [("datasets", "--help"), ("datasets", "check", "--help")])
def test_help_tells_the_exit_codes(cli, arguments: tuple[str, ...]) -> None:
    assert " ".join(cli(*arguments).stdout.split()).endswith(EXIT_CODES)


def test_torch_is_not_needed(london: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "sys.argv = ['mien', 'datasets', 'check', 'london', sys.argv[1]]\n"
        "from mien.cli import main; main()"
    )
    run = subprocess.run([sys.executable, "-c", program, london], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
