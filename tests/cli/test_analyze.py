from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import Mien
from mien.cli.exits import ExitCode
from mien.outputs import Probabilities, Scalar

FIXED_COLUMNS = ["photo", "face", "left", "top", "right", "bottom", "score", "aligned", "found_by"]
FIXED_COLUMNS += ["expression", "error"]


@pytest.fixture
def folder(tmp_path, examples):
    """A folder with a subfolder, a hidden file and a text."""
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    shutil.copy(examples / "obama.jpg", tmp_path / "photos" / "obama.jpg")
    shutil.copy(examples / "biden.jpg", tmp_path / "photos" / "sub" / "biden.jpg")
    shutil.copy(examples / "obama2.jpg", tmp_path / "photos" / "sub" / "no suffix")
    shutil.copy(examples / "obama.jpg", tmp_path / "photos" / "._hidden.jpg")
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    return tmp_path / "photos"


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_fields_are_stable(cli, examples):
    result = cli("analyze", examples / "obama.jpg", "--json")
    assert result.exit_code == 0
    (record,) = lines(result)
    assert list(record) == ["photo", "model", "faces", "error"]
    assert record["photo"] == str(examples / "obama.jpg")
    assert record["error"] is None
    (face,) = record["faces"]
    assert list(face) == [
        *("box", "score", "landmarks", "aligned", "found_by"),
        *("expression", "probabilities", "embedding", "outputs"),
    ]
    (expected,) = Mien().analyze(examples / "obama.jpg")
    assert record["model"] == Mien().contract.model_id
    np.testing.assert_allclose(face["embedding"], expected.embedding, atol=1e-6)
    np.testing.assert_allclose(face["landmarks"], expected.landmarks, atol=0.01)
    assert face["box"] == pytest.approx(
        [expected.box.left, expected.box.top, expected.box.right, expected.box.bottom], abs=0.01
    )
    assert face["expression"] == expected.expression.top.value
    assert face["probabilities"] == pytest.approx({k.value: v for k, v in expected.expression.items()}, abs=1e-6)
    assert face["aligned"] is True


def test_folders_are_searched_and_what_is_no_image_is_named(cli, folder):
    (folder / "clip.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41")
    result = cli("analyze", folder, "--json")
    assert result.exit_code == 0
    assert [record["photo"] for record in lines(result)] == [
        str(folder / "obama.jpg"),
        str(folder / "sub" / "biden.jpg"),
        str(folder / "sub" / "no suffix"),
    ]
    assert [line for line in result.stderr.splitlines() if "is not an image" in line] == [
        f"skipped: {folder / name} is not an image" for name in ("clip.mp4", "notes.txt")
    ]


def test_patterns_are_expanded_and_files_taken_once(cli, folder):
    result = cli("analyze", folder / "**" / "*.jpg", folder / "obama.jpg", "--json")
    assert [record["photo"] for record in lines(result)] == [
        str(folder / "obama.jpg"),
        str(folder / "sub" / "biden.jpg"),
    ]


def test_nothing_to_do_is_said(cli, tmp_path):
    for nothing in (tmp_path, tmp_path / "*.jpg"):
        result = cli("analyze", nothing)
        assert result.exit_code == ExitCode.ERROR
        assert f"no photo was found in {nothing}" in result.stderr


def test_nothing_but_a_missing_photo_is_nothing_done(cli, tmp_path):
    result = cli("analyze", tmp_path / "gone.jpg")
    assert (result.exit_code, len(result.stderr.splitlines())) == (ExitCode.ERROR, 1)


def test_an_empty_path_is_not_the_present_folder(cli, folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = cli("analyze", "", "--json")
    assert (result.exit_code, result.stdout) == (ExitCode.ERROR, "")
    assert result.stderr == "mien: no photo was found in an empty path\n"


def test_what_a_folder_only_links_to_is_not_lost(cli, folder, tmp_path, examples):
    (tmp_path / "other").mkdir()
    shutil.copy(examples / "biden.jpg", tmp_path / "other")
    (folder / "linked").symlink_to(tmp_path / "other")
    (folder / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    result = cli("analyze", folder, "--json")
    assert result.exit_code == ExitCode.PARTIAL
    assert [line for line in result.stderr.splitlines() if "gone.jpg" in line] == [
        f"mien: {folder / 'gone.jpg'} does not exist; check the path"
    ]
    assert str(folder / "linked" / "biden.jpg") in [record["photo"] for record in lines(result)]


def test_names_that_are_no_text_cost_nothing(folder, examples):
    """As on a terminal with UTF-8, where output is strict; names of old systems are bytes."""
    broken = os.fsencode(folder) + b"/caf\xe9.jpg"
    with open(broken, "wb") as file:  # noqa: PTH123 - no path is text here
        file.write(b"\xff\xd8\xff broken")
    command = [sys.executable, "-c", "from mien.cli import main; main()", "analyze", str(folder), "--csv"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == ExitCode.PARTIAL, result.stderr
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert len(rows) == 4
    assert "caf\N{REPLACEMENT CHARACTER}.jpg" in next(row["error"] for row in rows if row["error"])


def test_a_missing_file_costs_itself_alone(cli, folder):
    result = cli("analyze", folder / "gone.jpg", folder / "obama.jpg", "--json")
    assert result.exit_code == ExitCode.PARTIAL
    assert result.stderr.count("gone.jpg") == 1
    first, second = lines(result)
    assert first["faces"] == []
    assert "does not exist" in first["error"]
    assert len(second["faces"]) == 1


def test_csv(cli, folder, tmp_path):
    Image.new("RGB", (90, 90)).save(tmp_path / "black.png")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    result = cli("analyze", folder / "obama.jpg", tmp_path / "black.png", tmp_path / "broken.jpg", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    names = [expression.value for expression in Mien().contract.expressions]
    assert list(rows[0]) == [*FIXED_COLUMNS, *names]
    assert [row["face"] for row in rows] == ["1", "", ""]
    assert sum(float(rows[0][name]) for name in names) == pytest.approx(1, abs=1e-4)
    assert [bool(row["error"]) for row in rows] == [False, False, True]


def test_table(cli, folder, tmp_path):
    Image.new("RGB", (90, 90)).save(tmp_path / "bla[red]ck.png")
    result = cli("analyze", folder / "obama.jpg", tmp_path / "bla[red]ck.png")
    assert result.exit_code == 0
    assert "obama.jpg" in result.stdout
    assert "bla[red]ck.png" in result.stdout.replace("\n", "")
    assert "none" in result.stdout


def test_crops_without_detection(cli, folder):
    (record,) = lines(cli("analyze", folder / "obama.jpg", "--no-detect", "--json"))
    assert record["faces"][0]["aligned"] is False
    assert record["faces"][0]["landmarks"] is None


def test_json_and_csv_exclude_each_other(cli, folder):
    assert cli("analyze", folder, "--json", "--csv").exit_code == ExitCode.USAGE


def test_an_unusable_model_is_one_sentence(cli, folder, tmp_path):
    result = cli("analyze", folder, "--model", tmp_path / "none.onnx")
    assert result.exit_code == ExitCode.ERROR
    assert "none.onnx does not exist" in result.stderr


def test_annotated_pictures(cli, folder, tmp_path):
    shutil.copytree(folder / "sub", tmp_path / "other")
    shutil.copy(folder / "obama.jpg", tmp_path / "other" / "obama.png")
    result = cli("analyze", folder, tmp_path / "other", "--annotate", tmp_path / "out")
    assert result.exit_code == 0
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["biden.jpg", "no suffix.jpg", "obama-2.jpg", "obama.jpg", "sub/biden.jpg", "sub/no suffix.jpg"]
    with Image.open(tmp_path / "out" / "obama.jpg") as drawn, Image.open(folder / "obama.jpg") as plain:
        assert drawn.size == plain.size
        assert np.abs(np.asarray(drawn, int) - np.asarray(plain)).max() > 50


def test_annotating_never_writes_over_photos(cli, folder):
    before = (folder / "obama.jpg").read_bytes()
    result = cli("analyze", folder, "--annotate", folder)
    assert result.exit_code == ExitCode.USAGE
    assert "write over" in result.stderr
    assert (folder / "obama.jpg").read_bytes() == before


def test_annotated_pictures_replace_their_own_kind_alone(cli, examples, tmp_path):
    other = tmp_path / "out" / "obama.jpg"
    other.parent.mkdir()
    other.write_bytes((examples / "biden.jpg").read_bytes())
    result = cli("analyze", examples / "obama.jpg", examples / "obama2.jpg", "--annotate", other.parent)
    assert result.exit_code == ExitCode.PARTIAL
    assert "it is no picture of mien's" in result.stderr
    assert other.read_bytes() == (examples / "biden.jpg").read_bytes()
    assert cli("analyze", examples / "obama2.jpg", "--annotate", other.parent).exit_code == ExitCode.DONE


def test_annotated_pictures_inside_the_folder_are_not_analysed_again(cli, folder):
    for _ in range(2):
        assert len(lines(cli("analyze", folder, "--annotate", folder / "out", "--json"))) == 3


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def damaged_files(photo):
    """Names and contents of 200 files, none of which holds a whole image."""
    rng = np.random.default_rng(0)
    with Image.open(photo) as image:
        small = image.resize((150, 200))
    whole = {
        "jpg": encoded(small, "JPEG"),
        "progressive.jpg": encoded(small, "JPEG", progressive=True),
        "png": encoded(small, "PNG"),
        "webp": encoded(small, "WEBP"),
        "tif": encoded(small, "TIFF"),
        "bmp": encoded(small, "BMP"),
        "gif": encoded(small, "GIF"),
    }
    files = {}
    for share in np.linspace(0.01, 0.9, 14):
        for suffix, content in whole.items():
            files[f"cut-{share:.2f}.{suffix}"] = content[: int(share * len(content))]
    for number in range(20):
        files[f"noise-{number}.jpg"] = rng.bytes(int(rng.integers(1, 5000)))
        files[f"noise-after-magic-{number}.png"] = b"\x89PNG\r\n\x1a\n" + rng.bytes(2000)
        files[f"jpeg-magic-{number}.jpg"] = b"\xff\xd8\xff\xe0" + rng.bytes(300)
    for number, side in enumerate((20_000, 60_000, 2**31 - 1)):
        files[f"huge-{number}.png"] = huge_png(side)
    files["huge.bmp"] = whole["bmp"][:18] + struct.pack("<ii", 90_000, 90_000) + whole["bmp"][26:]
    files["huge.gif"] = whole["gif"][:6] + struct.pack("<HH", 65535, 65535) + whole["gif"][10:300]
    others = (
        b"",
        b"plain text",
        b"%PDF-1.7\n%%EOF",
        b"PK\x03\x04" + b"\0" * 90,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    )
    for number, content in enumerate(others):
        for suffix in ("jpg", "png", "heic", "tiff", "txt", "pdf"):
            files[f"other-{number}.{suffix}"] = content
    files["script.py"] = b"print()"
    files["eps.jpg"] = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    files["\udcff bytes.jpg"] = b"\xff"
    while len(files) < 200:
        files[f"text-{len(files)}.webp"] = b"RIFF\0\0\0\0WEBP" + rng.bytes(50)
    return files


def test_a_folder_of_damaged_files(cli, examples, tmp_path):
    files = damaged_files(examples / "obama.jpg")
    assert len(files) >= 200
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    shutil.copy(examples / "obama.jpg", tmp_path / "good.jpg")
    with Image.open(examples / "biden.jpg") as image:
        image.save(tmp_path / "png in truth.jpg", "PNG")
    result = cli("analyze", tmp_path, "--json")
    assert result.exit_code == ExitCode.PARTIAL
    assert {Path(record["photo"]).name for record in lines(result) if record["faces"]} >= {
        "good.jpg",
        "png in truth.jpg",
    }
    decoded = {Path(record["photo"]).name for record in lines(result) if record["error"] is None}
    named = result.stderr.splitlines()
    assert "Traceback" not in result.stderr
    for name in files:
        shown = name.replace("\udcff", "\ufffd")
        count = sum(f"{tmp_path}/{shown} " in line for line in named)
        assert count == (name not in decoded), (name, count)
    assert decoded <= {"good.jpg", "png in truth.jpg", *(name for name in files if name.startswith("cut-"))}
    assert len(decoded) <= 8  # decoders may take what lacks only the file's last bytes as whole


def test_a_reader_that_goes_away_is_no_crash(examples):
    command = f"{sys.executable} -c 'from mien.cli import main; main()' analyze {examples} --json | head -c 10"
    run = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert run.returncode in (ExitCode.DONE, ExitCode.READER_GONE)
    assert "Traceback" not in run.stderr


def test_an_interruption_leaves_whole_lines(examples, tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(300):
        shutil.copy(examples / "obama.jpg", tmp_path / "photos" / f"{number}.jpg")
    program = [sys.executable, "-c", "from mien.cli import main; main()"]
    output = tmp_path / "out"
    with output.open("w") as out:
        command = [*program, "analyze", tmp_path / "photos", "--json", "--batch-size", "1"]
        run = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not output.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=30)
    assert run.returncode == ExitCode.INTERRUPTED
    assert errors == "mien: interrupted\n"
    assert output.read_text().endswith("\n")
    assert all(json.loads(line)["photo"] for line in output.read_text().splitlines())


@pytest.fixture
def rich_model(tiny_model, tiny_contract):
    """A model with an age and glasses beside identity and expression; age is the mean of red."""
    others = (Scalar("age", "years", (0.0, 255.0)), Probabilities("glasses", ("none", "sun")))
    contract = replace(tiny_contract, outputs=tiny_contract.outputs + others)
    return tiny_model(contract, outputs=("embedding", "expression", "age", "glasses"))


def test_other_outputs_are_shown(cli, rich_model, tmp_path):
    Image.new("RGB", (8, 8), (30, 7, 5)).save(tmp_path / "face.png")
    arguments = ("analyze", tmp_path / "face.png", "--no-detect", "--model", rich_model)
    ((face,),) = (record["faces"] for record in lines(cli(*arguments, "--json")))
    assert face["outputs"]["age"] == pytest.approx(30)
    assert face["outputs"]["glasses"] == pytest.approx({"none": 0.880797, "sun": 0.119203}, abs=1e-6)
    (row,) = csv.DictReader(io.StringIO(cli(*arguments, "--csv").stdout))
    assert list(row)[-5:] == ["neutral", "happiness", "age", "glasses.none", "glasses.sun"]
    assert float(row["age"]) == pytest.approx(30)
    assert float(row["glasses.sun"]) == pytest.approx(0.119203)


def test_a_photo_without_a_face_has_a_row_of_all_columns(cli, rich_model, tmp_path):
    Image.new("RGB", (80, 80)).save(tmp_path / "black.png")
    (row,) = csv.DictReader(io.StringIO(cli("analyze", tmp_path / "black.png", "--csv", "--model", rich_model).stdout))
    assert row["face"] == row["glasses.sun"] == ""
