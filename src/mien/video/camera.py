"""Cameras by number, and only their newest picture."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterator
from threading import Condition, Thread
from typing import Generic, TypeVar

from mien.errors import VideoError

Item = TypeVar("Item")
Device = tuple[str, str, dict[str, str]]

PATIENCE = 2.0
"""Seconds to wait for a camera's last picture."""

_CAMERA = re.compile(r"camera:(\d+)")


def device_of(source: str) -> Device | None:
    """What FFmpeg calls a camera: path, format and options; None for anything but ``camera:NUMBER``.

    Raises:
        VideoError: there is no such camera, or no way to cameras on this system.
    """
    match = _CAMERA.fullmatch(source)
    if match is None:
        return None
    number = int(match[1])
    if sys.platform == "linux":
        return f"/dev/video{number}", "v4l2", {}
    if sys.platform == "darwin":
        return str(number), "avfoundation", {"framerate": "30"}
    if sys.platform == "win32":
        return f"video={_windows_name(number)}", "dshow", {}
    raise VideoError(f"cameras are not supported on {sys.platform}; give a video file")


def newest(frames: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the newest item each time one is asked for, and drop those that came before it.

    A camera does not wait: without this its pictures would be taken from an ever longer queue. Closing the generator
    ends the reading.
    """
    slot = _Slot[Item]()
    reader = Thread(target=slot.fill, args=(frames,), daemon=True)
    reader.start()
    try:
        yield from slot
    finally:
        slot.close()
        reader.join(timeout=PATIENCE)  # a device must not be closed while it is read


class _Slot(Generic[Item]):
    """Room for one item between a reading thread and its user."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._item: list[Item] = []
        self._error: BaseException | None = None
        self._done = False

    def fill(self, items: Iterator[Item]) -> None:
        """Read until there is no more, or nobody takes it any longer."""
        try:
            for item in items:
                with self._changed:
                    if self._done:
                        return
                    self._item = [item]
                    self._changed.notify()
        except BaseException as error:  # noqa: BLE001  raised again where the items are used
            self._error = error
        finally:
            self.close()

    def close(self) -> None:
        """Take no more items."""
        with self._changed:
            self._done = True
            self._changed.notify()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._item or self._done)
                taken, self._item = self._item, []
            if not taken:
                break
            yield taken[0]
        if self._error is not None:
            raise self._error


def _windows_name(number: int) -> str:
    from av.device import enumerate_input_devices

    names = [device.name for device in enumerate_input_devices("dshow") if "video" in device.media_types]
    if number >= len(names):
        raise VideoError(f"camera:{number} does not exist; there are {len(names)} cameras, counted from 0")
    return names[number]
