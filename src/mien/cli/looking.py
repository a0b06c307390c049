"""Photos that are looked at one after the other, as people see it on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from mien.calibration import Looked
from mien.cli.console import progress, shown
from mien.cli.exits import say


@contextmanager
def looking(what: str) -> Iterator[Callable[[Looked], None]]:
    """Yield an observer that advances a bar, and names each photo that cannot be used on stderr.

    Args:
        what: what is done, a few words.
    """
    with ExitStack() as stack:
        advance: Callable[[], None] | None = None

        def observe(looked: Looked) -> None:
            nonlocal advance
            advance = advance or stack.enter_context(progress(looked.total, what))
            if looked.error is not None:
                say(f"mien: {shown(looked.error)}")
            advance()

        yield observe
