"""What an installation without extras takes on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from _report import Figure, Section, Target

TARGET = Target(300e6, "at most")
PROJECT = Path(__file__).parent.parent
PROTOCOL = (
    "A new virtual environment with the project installed without extras; sum of the sizes of all its files, pip and "
    "compiled modules included. Set PIP_INDEX_URL and the like to steer pip."
)


def measure_installation() -> Section:
    """Install the project into a temporary environment and measure that."""
    with TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True, symlinks=os.name != "nt")
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(PROJECT)]
        if subprocess.run(command, check=False).returncode:
            sys.exit("pip could not install the project, see its message above; is there a package index to reach?")
        total = float(sum(sizes(environment).values()))
        packages = Counter(sizes(next(environment.rglob("site-packages"))))
    largest = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in packages.most_common(6))
    figures = [Figure("base installation", total, "MB", "1 environment", target=TARGET)]
    return Section("Installation", PROTOCOL, "", figures, [f"Largest: {largest}."], {"bytes": dict(packages)})


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of each entry of a folder, all that is below it included; links are not followed."""
    result: Counter[str] = Counter()
    for parent, _, files in os.walk(folder):
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                result[path.relative_to(folder).parts[0]] += path.stat().st_size
    return dict(result)
