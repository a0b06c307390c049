"""The command line: one module a command; `mien.cli.app` lists them."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of `mien`."""
    from mien.cli.app import run

    run()
