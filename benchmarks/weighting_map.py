"""Make the map of where weighting methods help: `two-digits` in 25 cells, 12 methods, 20 seeds.

    python benchmarks/weighting_map.py OUTPUT [--seeds 20] [--workers 2] [--cells "base;noise 0.5"] [--set pairs=100]

Each cell is a comparison of its own in OUTPUT/<cell>, with its page. An interrupted map goes on with the same command;
finished runs are not repeated. When all cells are there, OUTPUT/map.json has the figures, the three hypotheses of
docs/results/map/hypotheses.md and the share of collapsed runs, and OUTPUT/index.html the heat maps. A run takes about
1.2 seconds of a core, the whole some hours on two; the runs of a cell are made one after the other, cells side by side.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from _map_cells import CELLS, CONTRASTS, METHODS, Settings
from _map_hypotheses import Results, collapsed, gains, judge_hypotheses


class _Counter:
    """Tells on standard error how far a cell is."""

    def __init__(self, cell: str) -> None:
        self._cell, self._done, self._all = cell, 0, 0

    def start(self, runs: int) -> None:
        self._all = runs

    def more(self, runs: int) -> None:
        self._all += runs

    def made(self, plan: object, run: object) -> None:  # noqa: ARG002 - only their number is told
        self._done += 1
        if self._done % 50 == 0:
            print(f"{self._cell}: {self._done} of {self._all} runs", file=sys.stderr, flush=True)


def make_cell(cell: str, settings: Settings, seeds: int, output: Path) -> str:
    """Make, or go on with, one cell; return its name."""
    import torch

    from mien.comparison import compare, load_experiment
    from mien.reports import write_comparison

    torch.set_num_threads(1)
    folder = output / cell
    experiment = load_experiment("two-digits", settings)
    comparison = compare(experiment, METHODS, seeds, folder / "runs", _Counter(cell), CONTRASTS)
    words = [f"--set {key}={value:g}" for key, value in settings.items()]
    contrasts = [f"--contrast {first}:{second}" for first, second in CONTRASTS]
    methods = ",".join(METHODS)
    command = " ".join(["mien compare two-digits --methods", methods, f"--seeds {seeds}", *contrasts, *words])
    write_comparison(comparison, folder, command)
    return cell


def summarize_cell(results: Results) -> dict[str, object]:
    """What the map shows of a cell."""
    return {
        "settings": results["settings"],
        "tasks": results["tasks"],
        "seeds": results["seeds"],
        "fingerprint": results["fingerprint"],
        "warnings": results["warnings"],
        "hypotheses": judge_hypotheses(results),
        "methods": {
            summary["method"]: {
                "learning_rate": summary["learning_rate"],
                "weights": summary["variant"],
                "figures": summary["figures"],
                "gain": summary["gain"],
                "collapsed": collapsed(results, summary["method"]),
                "gain over equal": _mean_difference(results, summary["method"]),
            }
            for summary in results["methods"]
            if summary["method"] in METHODS
        },
        "contrasts": results["contrasts"],
    }


def _mean_difference(results: Results, method: str) -> float | None:
    pairs = zip(gains(results, method), gains(results, "equal"), strict=True)
    found = [a - b for a, b in pairs if a == a and b == b]
    return sum(found) / len(found) if found else None


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the cells")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="seeds of each method (default: 20)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="cells made at once (default: 1)")
    parser.add_argument("--cells", default=";".join(CELLS), metavar="NAME;...", help="cells, divided by semicolons")
    parser.add_argument("--set", dest="more", action="append", default=[], metavar="KEY=N", help="for a quick trial")
    options = parser.parse_args(arguments)
    options.cells = [name.strip() for name in options.cells.split(";")]
    if unknown := [name for name in options.cells if name not in CELLS]:
        parser.error(f"there is no cell {unknown[0]}; there are: {'; '.join(CELLS)}")
    options.more = {key: float(value) for key, value in (text.split("=", 1) for text in options.more)}
    return options


def main(arguments: list[str] | None = None) -> None:
    """Make all cells, then the map."""
    options = parse(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    options.output.mkdir(parents=True, exist_ok=True)
    jobs = [(name, options.more | CELLS[name], options.seeds, options.output) for name in options.cells]
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for made in as_completed([pool.submit(make_cell, *job) for job in jobs]):
            print(f"{made.result()}: done", file=sys.stderr, flush=True)
    found = {
        name: summarize_cell(json.loads((options.output / name / "results.json").read_text(encoding="utf-8")))
        for name in options.cells
    }
    (options.output / "map.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    from mien.reports.map_page import write_map

    write_map(found, options.output)
    print(f"done; open {options.output / 'index.html'}")


if __name__ == "__main__":
    main()
