from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mien.cli.app import build


@pytest.fixture
def cli():
    """Run the command line in this process; gives exit_code, stdout and stderr."""

    def run(*arguments):
        return CliRunner().invoke(build(), [str(argument) for argument in arguments])

    return run
