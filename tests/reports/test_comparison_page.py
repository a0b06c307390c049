from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mien.comparison import Comparison, Plan, Run, compare
from mien.comparison.experiments.toy import Toy
from mien.comparison.experiments.two_digits import TwoDigits
from mien.reports import write_comparison


class Silent:
    def start(self, runs: int) -> None: ...

    def more(self, runs: int) -> None: ...

    def made(self, plan: Plan, run: Run) -> None: ...


class Reader(HTMLParser):
    """Finds what a page would load, and whether its tags are balanced."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [
            value for name, value in attrs if name in ("src", "href") and value and not value.startswith("#")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    problem = TwoDigits(epochs=1, pairs=200, evaluated=100, learning_rates=(1e-2,))
    return compare(problem, ["equal", "dynamic"], 2, tmp_path_factory.mktemp("runs"), Silent())


def test_the_page_stands_alone_and_says_what_was_found(digits: Comparison, tmp_path: Path) -> None:
    text = write_comparison(digits, tmp_path, "mien compare two-digits").read_text()
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert reader.loaded == []
    assert "2 seeds are too few" in text
    assert "left alone" in text
    assert text.count("<svg") == 5
    assert "mien compare two-digits" in text


def test_results_hold_every_figure(digits: Comparison, tmp_path: Path) -> None:
    write_comparison(digits, tmp_path, "x")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["schema"] == 2
    assert {task: figure["name"] for task, figure in results["tasks"].items()} == {
        "left": "accuracy",
        "right": "accuracy",
    }
    summary = next(method for method in results["methods"] if method["method"] == "dynamic")
    finals = [run["test"][run["best_epoch"]]["left"] for run in results["runs"]["dynamic"]]
    assert summary["figures"]["left"]["mean"] == pytest.approx(sum(finals) / 2)
    assert set(results["runs"]["dynamic"][0]["curves"]) == {"steps", "losses", "weights", "trace", "gradients"}


def test_results_are_json_for_methods_without_weights_and_figures_that_are_no_numbers(tmp_path: Path) -> None:
    pytest.importorskip("torchjd")
    problem = TwoDigits(epochs=1, pairs=200, evaluated=100, learning_rates=(1e-2,))
    comparison = compare(problem, ["equal", "graddrop"], 1, tmp_path / "runs", Silent())
    comparison.runs["graddrop"][0].epochs[0].test["left"] = float("-inf")
    text = write_comparison(comparison, tmp_path, "x").read_text()
    assert "a method without weights has no curve" in text

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    results = json.loads((tmp_path / "results.json").read_text(), parse_constant=refuse)
    run = results["runs"]["graddrop"][0]
    assert run["curves"]["weights"] == {"left": [], "right": []}
    assert run["test"][0]["left"] is None
    assert all(results["runs"]["equal"][0]["curves"]["weights"].values())


def test_what_comes_from_outside_is_escaped(digits: Comparison, tmp_path: Path) -> None:
    text = write_comparison(digits, tmp_path, "mien compare '<script>alert(1)</script>'").read_text()
    assert "<script" not in text


def test_the_toy_page_shows_paths_and_no_intervals(tmp_path: Path) -> None:
    comparison = compare(Toy(steps=20), ["equal", "dynamic"], 3, tmp_path / "runs", Silent())
    text = write_comparison(comparison, tmp_path, "x").read_text()
    assert "range over 3 starting points" in text
    assert "Against equal weighting" not in text
    assert re.search(r"<h2>Paths</h2>", text)
