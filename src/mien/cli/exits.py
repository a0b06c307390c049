"""What the exit codes mean, and how errors become them."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import ParamSpec

import typer

from mien.errors import MienError

P = ParamSpec("P")


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    DONE = 0
    DIFFERENT = 1
    USAGE = 2
    ERROR = 3
    PARTIAL = 4
    FAULT = 70
    INTERRUPTED = 130
    READER_GONE = 141


EXIT_CODES = (
    "Exit codes: 0 done (verify: the same person; authenticate: accepted; datasets check: as official; gallery "
    "identify: somebody is known); 1 verify: different people, authenticate: refused, datasets check: incomplete or "
    "different, gallery identify: nobody is known; 2 wrong usage; 3 nothing could be done, the message says why; 4 "
    "images could not be used, all others are done, gallery remove: something is pending; 70 a fault of mien itself; "
    "130 interrupted; 141 the reader of the output went away."
)
"""Shown at the end of every command's help."""


def say(message: str) -> None:
    """Tell the user something on stderr."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201


def missing_extra(name: str, extra: str, error: ImportError) -> ExitCode:
    """Tell which extra a command needs."""
    say(f"mien: `mien {name}` needs the extra {extra} ({error}); run: pip install 'mien[{extra}]'")
    return ExitCode.ERROR


def reporting(name: str, command: Callable[P, ExitCode], extra: str = "") -> Callable[P, None]:
    """Make a command end with an exit code, and with one sentence instead of a traceback.

    Args:
        name: the command's name.
        command: what it does.
        extra: the extra of the package that it needs; empty for none.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except MienError as error:
            say(f"mien: {error}")
            code = ExitCode.ERROR
        except ImportError as error:
            if not extra:
                raise
            code = missing_extra(name, extra, error)
        except KeyboardInterrupt:
            say("mien: interrupted")
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
            code = ExitCode.READER_GONE
        except OSError as error:  # no room, no permission, no such folder
            say(f"mien: {error.filename!r}: {error.strerror}" if error.filename else f"mien: {error}")
            code = ExitCode.ERROR
        raise typer.Exit(code)

    return run
