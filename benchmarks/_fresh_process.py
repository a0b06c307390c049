"""What only a fresh process shows: the time of an import, and the largest memory of a job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from _report import Figure, Section, Target
from _setting import EXAMPLES
from _timing import quartiles
from PIL import Image, ImageOps

IMPORT_TARGET = Target(0.3, "at most")
MEMORY_TARGET = Target(600e6, "at most")
TILE, COLUMNS, ROWS = 1000, 4, 3

IMPORT = """
import json, sys, time
start = time.perf_counter()
import mien
imported = time.perf_counter() - start
torch = "torch" in sys.modules
mien.Mien(sys.argv[2] or None).analyze(sys.argv[1])
print(json.dumps([imported, time.perf_counter() - start, torch or "torch" in sys.modules]))
"""

MEMORY = """
import json, pathlib, sys
from mien import Mien
faces = len(Mien(sys.argv[2] or None).analyze(sys.argv[1]))
status = pathlib.Path("/proc/self/status")
if status.is_file():  # the peak of this program alone; ru_maxrss remembers the process that started it
    peak = 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([faces, peak]))
"""


def time_import(model: str | None, runs: int) -> Section:
    """Time ``import mien``, and the way to the first answer, in fresh processes."""
    photo = EXAMPLES / "obama.jpg"
    results = [_run(IMPORT, photo, model) for _ in range(1 + runs)][1:]  # the first one fills the system's file cache
    imports, answers = [r[0] for r in results], [r[1] for r in results]
    torch = sum(r[2] for r in results)
    n = f"{runs} processes"
    figures = [
        Figure("import mien", median(imports), "s", n, *quartiles(imports), target=IMPORT_TARGET),
        Figure("import, load the models, first photo", median(answers), "s", n, *quartiles(answers)),
        Figure("processes that imported torch", torch, "", n, target=Target(0, "at most")),
    ]
    lines = ["The public names are imported when they are first used; the second figure has all of it."]
    protocol = "In a fresh interpreter, without its own start; files in the system's cache; all cores."
    return Section("Import", protocol, "quartiles", figures, lines, {"import": imports, "first answer": answers})


def measure_memory(model: str | None, runs: int) -> Section:
    """Take the largest memory of a fresh process that analyses a photo of 12 megapixels."""
    with TemporaryDirectory() as folder:
        photo = large_photo(Path(folder) / "photo.jpg")
        results = [_run(MEMORY, photo, model) for _ in range(runs)]
    peaks = [float(peak) for _, peak in results]
    value = max(peaks)
    figures = [
        Figure("largest resident memory", value, "MB", f"{runs} processes", min(peaks), max(peaks), MEMORY_TARGET)
    ]
    protocol = f"A JPEG of {COLUMNS * TILE} x {ROWS * TILE} pixels, tiled with the example photos; all cores."
    lines = [f"Faces found: {results[0][0]}. The value is the largest of the runs."]
    return Section("Memory of a 12-megapixel photo", protocol, "range", figures, lines, {"bytes": peaks})


def large_photo(path: Path) -> Path:
    """Write a photo of 12 megapixels, tiled with the example photos."""
    photos = [Image.open(example).convert("RGB") for example in sorted(EXAMPLES.glob("*.jpg"))]
    canvas = Image.new("RGB", (COLUMNS * TILE, ROWS * TILE))
    for i in range(COLUMNS * ROWS):
        tile = ImageOps.fit(photos[i % len(photos)], (TILE, TILE), centering=(0.5, 0.0))
        canvas.paste(tile, (i % COLUMNS * TILE, i // COLUMNS * TILE))
    canvas.save(path, quality=90)
    return path


def _run(program: str, photo: Path, model: str | None) -> Any:
    command = [sys.executable, "-c", program, str(photo), model or ""]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
