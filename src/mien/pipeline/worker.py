"""What runs in a worker process: a function, on one item after the other, until the other side is gone."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from typing import IO, Any

from mien.pipeline.messages import receive, send

LATE_SECONDS = 2.0
"""How long after its time a worker ends itself, should nobody be there any more to end it."""


def main() -> None:
    """Make the function that is sent first, say whether that worked, then answer items."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the process that started this one, which decides
        signal.signal(number, signal.SIG_IGN)
    inbox, outbox = _streams()
    try:
        function = receive(inbox)()
    except Exception as error:  # noqa: BLE001  belongs to whoever waits
        send(outbox, _sendable(error))
        return
    send(outbox, None)
    try:
        while True:
            item, seconds = receive(inbox)
            send(outbox, _answer(function, item, seconds))
    except (EOFError, BrokenPipeError):
        return


def _answer(function: Callable[[Any], Any], item: Any, seconds: float) -> tuple[bool, Any]:
    """Whether it worked, and the result or the error."""
    _end_after(seconds + LATE_SECONDS)
    try:
        return True, function(item)
    except Exception as error:  # noqa: BLE001  belongs to whoever waits
        return False, _sendable(error)
    finally:
        _end_after(0)


def _streams() -> tuple[IO[bytes], IO[bytes]]:
    """Where items come from and answers go to; what else is printed goes to stderr."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return inbox, outbox


def _end_after(seconds: float) -> None:
    """Let the system end this process, whatever it does then; 0: not any more."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  its own
    except Exception:  # noqa: BLE001  an error of any class may refuse
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
