from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from made_clips import RATE, fade, on_canvas, write_clip

from mien import Mien
from mien.cli.exits import ExitCode
from mien.video import Tracker, Video, analyze_frames

SIZE, SIDE = (240, 180), 150


def placed(photo, x=40):
    return on_canvas(photo, SIZE, side=SIDE, at=(x, 15))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Obama moves to the right, nobody for 1.2 s, Obama again; then a cut to Biden."""
    examples = Path(__file__).parents[2] / "examples"
    moving = [placed(examples / "obama.jpg", 10 + 6 * k) for k in range(10)]
    nobody = [np.full((*SIZE[::-1], 3), 128, np.uint8)] * 12
    again = [placed(examples / "obama.jpg", 20)] * 5 + [placed(examples / "biden.jpg", 20)] * 6
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", moving + nobody + again)


def lines(result, kind=None):
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return records if kind is None else [record for record in records if record["kind"] == kind]


def test_json_lines_of_a_clip(cli, clip, examples):
    result = cli("analyze", clip, "--json")
    assert result.exit_code == 0, result.stderr
    frames, tracks, (video,) = (lines(result, kind) for kind in ("frame", "track", "video"))
    assert [record["frame"] for record in frames] == list(range(33))
    assert [record["time"] for record in frames] == pytest.approx([k / RATE for k in range(33)])
    assert list(frames[0]) == ["kind", "video", "model", "frame", "time", "faces"]
    (face,) = frames[0]["faces"]
    assert list(face) == [
        *("track", "box", "score", "landmarks", "aligned", "found_by"),
        *("expression", "probabilities", "outputs"),
    ]
    assert [[face["track"] for face in record["faces"]] for record in frames] == [
        *[[1]] * 10,
        *[[]] * 12,
        *[[2]] * 5,
        *[[3]] * 6,
    ]
    assert [track["person"] for track in tracks] == [1, 1, 2]
    assert [(track["first"], track["last"], track["frames"]) for track in tracks] == [
        (0.0, 0.9, 10),
        (2.2, 2.6, 5),
        (2.7, 3.2, 6),
    ]
    assert [track["expression"] for track in tracks] == ["happiness", "happiness", "neutral"]
    (obama,) = Mien().analyze(examples / "obama2.jpg")
    distances = [np.linalg.norm(obama.embedding - track["embedding"]) for track in tracks]
    assert np.less(distances, Mien().contract.threshold.distance).tolist() == [True, True, False]
    assert {k: video[k] for k in ("frames", "analysed", "seconds", "tracks", "error")} == {
        "frames": 33,
        "analysed": 33,
        "seconds": 3.2,
        "tracks": 3,
        "error": None,
    }


def test_fewer_frames_a_second(cli, clip):
    result = cli("analyze", clip, "--json", "--rate", "5")
    frames = lines(result, "frame")
    assert [record["frame"] for record in frames] == list(range(0, 33, 2))
    assert lines(result, "video")[0]["analysed"] == 17
    assert lines(result, "video")[0]["frames"] == 33


def test_an_annotated_clip_and_a_timeline(cli, clip, tmp_path):
    result = cli("analyze", clip, "--annotate", tmp_path / "out", "--rate", "5")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.annotated.mp4", "clip.timeline.svg"]
    with Video(tmp_path / "out" / "clip.annotated.mp4") as drawn, Video(clip) as plain:
        pairs = list(zip(drawn, plain, strict=True))
    assert [a.time for a, _ in pairs] == pytest.approx([b.time for _, b in pairs], abs=1e-3)
    differ = [np.abs(a.pixels.astype(int) - b.pixels).max() > 90 for a, b in pairs]
    assert all(differ[:10])  # frames that were passed over have boxes too
    assert not any(differ[11:21])
    picture = ElementTree.parse(tmp_path / "out" / "clip.timeline.svg")
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"clip.mp4", "happiness", "person 1", "person 2", "0.0 s", "3.0 s"} <= set(texts)
    assert "person 3" not in texts
    bands = list(picture.iter("{http://www.w3.org/2000/svg}polygon"))
    assert len(bands) == 3 * len(Mien().contract.expressions)


def test_the_table_has_a_row_a_track(cli, clip):
    result = cli("analyze", clip)
    assert result.exit_code == 0
    rows = [line.split("│")[1:-1] for line in result.stdout.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row][:6] for row in rows] == [
        ["1", "1", "0.0 s", "0.9 s", "10", "happiness"],
        ["2", "1", "2.2 s", "2.6 s", "5", "happiness"],
        ["3", "2", "2.7 s", "3.2 s", "6", "neutral"],
    ]


def test_a_quoted_pattern_is_expanded(cli, clip):
    lines = cli("analyze", clip.parent / f"{clip.stem[:2]}*{clip.suffix}", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["video"] == str(clip)
    assert cli("analyze", clip, clip, clip.parent / "no*.mp4", "--json").stdout.splitlines() == lines
    assert cli("analyze", clip, clip.parent / "no*.mp4").exit_code == ExitCode.PARTIAL
    nothing = cli("analyze", clip.parent / "no*.mp4")
    assert nothing.exit_code == ExitCode.ERROR
    assert "no video was found in" in nothing.stderr


def test_a_clip_without_a_face(cli, tmp_path):
    grey = write_clip(tmp_path / "grey.mp4", [np.full((60, 80, 3), 90, np.uint8)] * 5)
    result = cli("analyze", grey, "--annotate", tmp_path / "out")
    assert result.exit_code == 0
    assert "no face in 5 pictures" in result.stdout
    assert "No face was found" in (tmp_path / "out" / "grey.timeline.svg").read_text()


def test_a_cut_off_clip_keeps_what_is_there(cli, clip, tmp_path):
    noise = [np.random.default_rng(k).integers(0, 256, (60, 80, 3), np.uint8) for k in range(40)]
    cut = write_clip(tmp_path / "cut.mkv", noise)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    result = cli("analyze", cut, clip, tmp_path / "gone.mp4", "--json", "--rate", "5")
    assert result.exit_code == ExitCode.PARTIAL
    first, second, third = lines(result, "video")
    assert 10 < first["frames"] < 30
    assert "ends after" in first["error"]
    assert (second["frames"], second["error"]) == (33, None)
    assert "does not exist" in third["error"]
    assert len(result.stderr.splitlines()) == 2


def test_a_clip_that_cannot_be_written_is_told_once_with_what_was_done(cli, clip, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "clip.annotated.mp4").mkdir(parents=True)
    for folder, begun, sentence in (("file", False, "cannot be written"), ("out", True, "cannot be finished")):
        result = cli("analyze", clip, "--json", "--rate", "5", "--annotate", tmp_path / folder)
        assert result.exit_code == ExitCode.ERROR
        assert len(result.stderr.splitlines()) == 1
        assert sentence in result.stderr
        (video,) = lines(result, "video")
        assert sentence in video["error"]
        assert (video["frames"] > 0) is begun
        assert video["analysed"] == len(lines(result, "frame"))
        assert video["tracks"] == len(lines(result, "track"))


def test_a_timeline_that_cannot_be_written_costs_itself_alone(cli, clip, tmp_path):
    (tmp_path / "clip.timeline.svg").mkdir()
    (other := tmp_path / "other").mkdir()
    shutil.copy(clip, other / clip.name)
    result = cli("analyze", clip, other / clip.name, "--json", "--rate", "5", "--annotate", tmp_path)
    assert result.exit_code == ExitCode.PARTIAL
    first, second = lines(result, "video")
    assert first["error"] == f"{tmp_path / 'clip.timeline.svg'} cannot be written (Is a directory)"
    assert result.stderr == f"mien: {first['error']}\n"
    assert second["error"] is None
    assert (tmp_path / "clip-2.timeline.svg").is_file()


def test_nothing_to_do_and_wrong_usage(cli, clip, tmp_path, examples):
    result = cli("analyze", tmp_path / "gone.mp4")
    assert (result.exit_code, len(result.stderr.splitlines())) == (ExitCode.ERROR, 1)
    assert cli("analyze", "camera:99").exit_code == ExitCode.ERROR
    assert cli("analyze", clip, examples / "obama.jpg").exit_code == ExitCode.USAGE
    assert cli("analyze", clip, "--csv").exit_code == ExitCode.USAGE
    assert cli("analyze", clip, "--no-detect").exit_code == ExitCode.USAGE


def test_without_pyav_the_extra_is_named(cli, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "mien.cli.video", None)
    result = cli("analyze", clip)
    assert result.exit_code == ExitCode.ERROR
    assert "pip install 'mien[video]'" in result.stderr


def test_an_interruption_keeps_what_came_before(tmp_path, examples):
    picture = placed(examples / "obama.jpg")
    clip = write_clip(tmp_path / "long.mp4", [picture] * 600)
    output = tmp_path / "out.jsonl"
    program = [sys.executable, "-c", "from mien.cli import main; main()"]
    with output.open("w") as out:
        command = [*program, "analyze", clip, "--json", "--annotate", tmp_path / "out"]
        run = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while output.read_text().count("\n") < 3 and time.monotonic() < deadline:  # so that one is drawn, too
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=120)
    assert run.returncode == ExitCode.INTERRUPTED
    assert errors == "mien: interrupted\n"
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert "interrupted" in records[-1]["error"]
    assert records[-2]["kind"] == "track"
    with Video(tmp_path / "out" / "long.annotated.mp4") as drawn:
        frames = list(drawn)
    assert 1 <= len(frames) <= records[-1]["frames"] + 1
    assert (tmp_path / "out" / "long.timeline.svg").is_file()


def test_a_camera_is_followed_until_it_is_interrupted(cli, monkeypatch):
    source = ("testsrc=size=64x48:rate=30,realtime", "lavfi", {})
    monkeypatch.setattr("mien.video.frames.device_of", lambda name: source if name == "camera:0" else None)
    looked = []

    def look(self, image, **how):
        looked.append(image.shape)
        if len(looked) == 5:
            raise KeyboardInterrupt
        return []

    monkeypatch.setattr(Mien, "analyze", look)
    result = cli("analyze", "camera:0", "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "camera:0: press Ctrl-C to end\n"
    assert looked == [(48, 64, 3)] * 5
    frames = lines(result, "frame")
    assert len(frames) == 4
    assert np.all(np.diff([frame["time"] for frame in frames]) > 0)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_growth(clip: Path, warm: int) -> float:
    """Bytes a frame after the first ``warm`` frames, by least squares."""
    mien, tracker = Mien(threads=1, min_face=30), Tracker(0.5)
    with Video(clip) as video:
        sizes = [resident() for _ in analyze_frames(mien, video, tracker)][warm:]
    assert len(tracker.tracks) in range(1, 200)
    return float(np.polyfit(np.arange(len(sizes)), sizes, 1)[0])


def small(photo):
    return on_canvas(photo, (120, 90), side=90, at=(15, 0))


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs Linux's /proc")
def test_memory_is_flat(tmp_path, examples):
    a, b = small(examples / "obama.jpg"), small(examples / "obama2.jpg")
    loop = [a, *fade(a, b, 8), b]
    clip = write_clip(tmp_path / "clip.mp4", (loop[k % 10] for k in range(260)))
    assert memory_growth(clip, warm=120) < 0.3 * a.nbytes  # of one frame: none is kept


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs Linux's /proc")
def test_memory_is_flat_over_ten_minutes(tmp_path, examples):
    a, b = small(examples / "obama.jpg"), small(examples / "biden.jpg")
    clip = write_clip(tmp_path / "clip.mp4", ((a, b)[k // 100 % 2] for k in range(6000)))
    assert memory_growth(clip, warm=1000) < 0.05 * a.nbytes
