"""Finds the code blocks of a Markdown page and runs them, in order, as a reader would.

* Python blocks of a page share their names. One that begins with a comment such as ``# train.py``, and so does a YAML
  block, is a file: it is written, for the blocks below to use.
* Shell blocks are run, each by a shell that stops at the first error.
* JSON must be sound.
* A block below the comment ``<!-- not run: reason -->`` is not run; the command lines of mien in it must parse.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.core import TyperGroup

from mien.cli.app import build

UsageError = typer.BadParameter.__mro__[1]
"""What a wrong command line raises: click's own, or that of the copy of click which newer versions of typer hold."""

_BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>.+) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S)
_FILE = re.compile(r"# ([\w.-]+\.(?:py|yaml))\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: its language, its text, the line it begins at, and why it is not run (empty when it is)."""

    language: str
    code: str
    line: int
    reason: str

    @property
    def file(self) -> str:
        """The file that it is; empty when it is none."""
        match = _FILE.match(self.code)
        return match[1] if match else ""


def find_blocks(text: str) -> list[Block]:
    """All blocks that name a language."""
    return [
        Block(m["language"], m["code"], text.count("\n", 0, m.start("code")) + 1, m["reason"] or "")
        for m in _BLOCK.finditer(text)
    ]


def run_python(blocks: list[Block], page: str, names: dict[str, object]) -> None:
    """Run Python blocks one after the other, with names that they share."""
    for block in blocks:
        padded = "\n" * (block.line - 1) + block.code  # errors then tell the page's own lines
        exec(compile(padded, page, "exec"), names)


def run_page(text: str, page: str) -> None:
    """Run all that a page shows, in the current folder."""
    names: dict[str, object] = {"__name__": "page"}
    for block in find_blocks(text):
        if block.reason:
            check_commands(block, page)
        elif block.file:
            Path(block.file).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            run_python([block], page, names)
        elif block.language == "sh":
            _run_shell(block, page)
        elif block.language == "json":
            json.loads(block.code)
        else:
            raise AssertionError(f"{page}:{block.line}: nothing runs a block of {block.language!r}")


def _run_shell(block: Block, page: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", block.code],
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}:{block.line}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


def commands_of(block: Block) -> Iterator[list[str]]:
    """The words of each command line of mien, without comments and redirections."""
    for line in block.code.splitlines():
        words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        if words[:1] == ["mien"]:
            cut = next((at for at, word in enumerate(words) if word in (">", "|", "&&", "||", ";")), len(words))
            yield words[1:cut]


def check_commands(block: Block, page: str) -> None:
    """Parse the command lines of mien without running them: commands, options and their values must exist."""
    if block.language not in ("sh", "console", "bash"):
        return
    for words in commands_of(block):
        try:
            _parse(words)
        except UsageError as error:
            missing_file = isinstance(error, typer.BadParameter) and "does not exist" in error.message
            assert missing_file, f"{page}:{block.line}: mien {shlex.join(words)}: {error.format_message()}"


def _parse(words: list[str]) -> None:
    command, name = typer.main.get_command(build()), "mien"
    while True:
        with command.make_context(name, list(words)) as context:
            words = [*context._protected_args, *context.args]
            if not isinstance(command, TyperGroup) or (not words and command.invoke_without_command):
                return
            name, command, words = command.resolve_command(context, words)
