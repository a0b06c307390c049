from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import RATE, write_clip, write_silence

from mien.errors import VideoError
from mien.video import ClipWriter, Video

COLOURS = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}


def corners(rows: str = "RG BW", size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A picture of four colours, written row by row."""
    width, height = size
    cells = np.array([[COLOURS[name] for name in row] for row in rows.split()], np.uint8)
    return cells.repeat(height // 2, axis=0).repeat(width // 2, axis=1)


def read_corners(pixels: np.ndarray) -> str:
    def name(y, x):
        colour = pixels[y, x].astype(int)
        return min(COLOURS, key=lambda k: np.abs(colour - COLOURS[k]).sum())

    height, width = pixels.shape[:2]
    rows = [[name(height * y // 4, width * x // 4) for x in (1, 3)] for y in (1, 3)]
    return " ".join("".join(row) for row in rows)


def noise(count: int, size=(48, 64)):
    return [np.random.default_rng(k).integers(0, 256, (*size, 3), np.uint8) for k in range(count)]


def read(path: Path):
    with Video(path) as video:
        return list(video), video.problem


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("angle", "flipped", "expected"),
    [
        (None, False, "RG BW"),
        (90, False, "GW RB"),  # counter-clockwise
        (180, False, "WB GR"),
        (-90, False, "BR WG"),  # a phone held upright
        (0, True, "GR WB"),  # a mirrored selfie
        (-90, True, "RB GW"),
    ],
)
def test_pictures_are_upright(tmp_path, suffix, angle, flipped, expected):
    clip = write_clip(tmp_path / f"clip.{suffix}", [corners()] * 2, rotation=angle, hflip=flipped)
    frames, problem = read(clip)
    assert problem is None
    assert read_corners(frames[0].pixels) == expected
    assert frames[0].pixels.shape == ((64, 48, 3) if angle in (90, -90) else (48, 64, 3))
    assert frames[0].pixels.flags.c_contiguous


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("aspect", "width"), [(Fraction(64, 45), 91), (Fraction(8, 9), 57)])  # PAL 16:9, NTSC 4:3
def test_pixels_are_square(tmp_path, monkeypatch, suffix, aspect, width):
    clip = write_clip(tmp_path / f"clip.{suffix}", [corners()] * 2, pixel_aspect=aspect)
    for frame in read(clip)[0]:
        assert frame.pixels.shape == (48, width, 3)
        assert read_corners(frame.pixels) == "RG BW"
    if suffix != "ts":  # it holds no rotation
        turned = write_clip(clip, [corners()] * 2, pixel_aspect=aspect, rotation=-90)
        assert read(turned)[0][0].pixels.shape == (width, 48, 3)
    monkeypatch.setattr("mien.video.frames.MAX_PIXELS", width * 48 - 1)
    with pytest.raises(VideoError, match=f"has {width}x48 pixels, too many"):
        Video(clip)


def test_every_frame_comes_once_in_order_with_its_time(tmp_path):
    grey = [np.full((48, 64, 3), 4 * k, np.uint8) for k in range(50)]
    frames, problem = read(write_clip(tmp_path / "clip.mp4", grey))
    assert problem is None
    assert [frame.index for frame in frames] == list(range(50))
    assert [frame.time for frame in frames] == pytest.approx([k / RATE for k in range(50)])
    assert np.abs([frame.pixels.mean() - 4 * frame.index for frame in frames]).max() < 3


def test_a_variable_frame_rate_is_respected(tmp_path):
    times = [0.0, 0.04, 0.5, 0.51, 2.0, 2.3]
    frames, problem = read(write_clip(tmp_path / "clip.mkv", [corners()] * 6, times=times))
    assert problem is None
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)


def test_times_begin_at_the_first_picture(tmp_path):
    clip = write_clip(tmp_path / "clip.mkv", [corners()] * 3, times=[7.0, 7.1, 7.2])
    assert [frame.time for frame in read(clip)[0]] == pytest.approx([0, 0.1, 0.2], abs=1e-3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv", "avi"])
@pytest.mark.parametrize(("first", "sound"), [(1.0, 0.0), (0.0, 3.0), (1.0, 4.0)])
def test_a_file_may_begin_before_its_pictures_and_end_after_them(tmp_path, suffix, first, sound):
    times = [first + k / RATE for k in range(20)]
    frames, problem = read(write_clip(tmp_path / f"clip.{suffix}", [corners()] * 20, times=times, sound=sound))
    assert (len(frames), problem) == (20, None)


@pytest.mark.parametrize("sound", [0.0, 7.5])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_cut_off_file_gives_what_is_there(tmp_path, name, sound):
    times = [0.5 + k / RATE for k in range(60)]
    options = {"movflags": "faststart"} if "mp4" in name else {}
    clip = write_clip(tmp_path / name, noise(60), times=times, sound=sound, options=options)
    clip.write_bytes(clip.read_bytes()[: int(0.6 * clip.stat().st_size)])
    frames, problem = read(clip)
    assert 30 <= len(frames) <= 40
    assert name in problem
    assert "used" in problem


def test_a_damaged_file_gives_what_can_be_read(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", noise(60))
    content = bytearray(clip.read_bytes())
    third = len(content) // 3
    content[third : third + 3000] = np.random.default_rng(0).bytes(3000)
    clip.write_bytes(content)
    frames, problem = read(clip)
    assert 40 <= len(frames) < 60
    assert "damaged in places" in problem


def test_a_file_without_its_index_is_refused(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", noise(20))
    clip.write_bytes(clip.read_bytes()[:5000])
    with pytest.raises(VideoError, match="cut off"):
        Video(clip)


def test_what_is_no_video_is_one_sentence(tmp_path):
    with wave.open(str(tmp_path / "sound.avi"), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\0" * 8000)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("hello " * 100)
    cases = {
        "missing.mp4": "does not exist",
        "empty.mp4": "is empty",
        "text.mp4": "no video",
        "sound.avi": "only sound",
        ".": "folder",
    }
    with av.open(str(tmp_path / "music.mp4"), "w") as container:
        write_silence(container, 1.0)
    cases["music.mp4"] = "only sound"
    for name, sentence in cases.items():
        with pytest.raises(VideoError, match=sentence):
            Video(tmp_path / name)
    with pytest.raises(VideoError, match="camera:99"):
        Video("camera:99")


def test_random_bytes_never_end_in_another_error(tmp_path):
    whole = write_clip(tmp_path / "clip.mkv", noise(10)).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40):
        content = bytearray(whole)
        for position in rng.integers(0, len(content), 30):
            content[position] = rng.integers(256)
        (tmp_path / "broken.mkv").write_bytes(content)
        try:
            read(tmp_path / "broken.mkv")
        except VideoError as error:
            assert str(tmp_path) in str(error)


def test_a_written_clip_reads_back(tmp_path):
    pictures = [corners(size=(66, 50)), corners("WB GR", size=(66, 50))] * 3
    times = [0.0, 0.1, 0.15, 0.5, 0.5, 1.0]  # one time twice
    with ClipWriter(tmp_path / "deep" / "out.mp4") as clip:
        for picture, time in zip(pictures, times, strict=True):
            clip.add(picture[:49, :65], time)  # odd sizes are cut to even ones
    frames, problem = read(tmp_path / "deep" / "out.mp4")
    assert problem is None
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    assert [read_corners(frame.pixels) for frame in frames] == ["RG BW", "WB GR"] * 3
    assert frames[0].pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["2024-05-01T12:30:00.mp4", "http:clip.mp4", "pipe:1", "file:clip.mp4", "-"])
def test_a_name_is_a_files_whatever_it_looks_like(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with ClipWriter(Path(name)) as clip:
        clip.add(corners(), 0.0)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    frames, problem = read(Path(name))
    assert (len(frames), problem) == (1, None)
    with pytest.raises(VideoError, match=r"gone:1\.mp4 does not exist"):
        Video("gone:1.mp4")


def test_a_clip_without_frames_is_no_file(tmp_path):
    with ClipWriter(tmp_path / "out.mp4"):
        pass
    assert not (tmp_path / "out.mp4").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoError, match="cannot be written"):
        ClipWriter(tmp_path / "file" / "out.mp4")
