from __future__ import annotations

import threading

import pytest

from mien.errors import VideoError
from mien.video.camera import device_of, newest


def test_only_camera_numbers_are_cameras(monkeypatch):
    for name in ("clip.mp4", "camera", "camera:", "camera:x", "xcamera:0", "camera:0.mp4"):
        assert device_of(name) is None
    monkeypatch.setattr("sys.platform", "linux")
    assert device_of("camera:2")[:2] == ("/dev/video2", "v4l2")
    monkeypatch.setattr("sys.platform", "plan9")
    with pytest.raises(VideoError, match="plan9"):
        device_of("camera:0")


def test_a_slow_user_gets_the_newest(  # the reader waits for the user, so the test needs no clock
):
    taken, read = threading.Event(), threading.Event()

    def frames():
        yield 0
        taken.wait(5)
        yield from range(1, 50)
        read.set()
        threading.Event().wait(0.05)
        yield 50

    seen = []
    for item in newest(frames()):
        seen.append(item)
        taken.set()
        read.wait(5)
    assert seen[0] == 0
    assert seen[-1] == 50
    assert len(seen) <= 4


def test_an_error_of_the_camera_reaches_the_user():
    def frames():
        yield 1
        raise VideoError("unplugged")

    with pytest.raises(VideoError, match="unplugged"):
        list(newest(frames()))


def test_a_user_who_stops_stops_the_reader():
    running = threading.Event()

    def frames():
        running.set()
        k = 0
        while True:
            yield (k := k + 1)

    items = newest(frames())
    next(items)
    items.close()
    assert running.is_set()
    assert not any(thread.name.endswith("(fill)") for thread in threading.enumerate() if thread.is_alive())
