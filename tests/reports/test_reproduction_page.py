from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_answers import SMALL, made_job, made_runs

from mien.evaluation import Quirk
from mien.reports import write_table
from mien.reproduction import TableResult, evaluate_table
from mien.reproduction.material import Material

WRONG = {"equal": 0.4, "dynamic": 0.2}
COMMAND = "mien reproduce made --seeds 2"


@pytest.fixture(scope="module")
def result(material: Material) -> TableResult:
    quirks = (Quirk.BEST_ON_TEST, Quirk.PRODUCT)
    job = made_job(material, quirks=quirks, only=("static, equal", "dynamic", "progress"))
    return evaluate_table(job, made_runs(job, WRONG))


def _cells(text: str, row: str) -> list[str]:
    """The texts of the first table row of that name."""
    found = re.search(rf"<tr>\s*<td>{re.escape(row)}</td>(.*?)</tr>", text, re.S)
    assert found is not None
    return [" ".join(re.sub(r"<.*?>", " ", cell).split()) for cell in re.findall(r"<td.*?>(.*?)</td>", found[1], re.S)]


def test_the_page_stands_alone(result: TableResult, tmp_path: Path, read) -> None:
    text = write_table(result, tmp_path, COMMAND).read_text()
    assert read(text).loaded == []
    assert COMMAND in text
    assert text.count("<svg") == 4  # confusions, ROC, weights, losses
    assert "0.196 and 0.804" in text
    assert "Made with --quick" not in text
    assert "Made with --quick" in write_table(result, tmp_path / "quick", COMMAND, quick=True).read_text()


def test_the_papers_figures_stand_beside_ours_where_they_have_a_source(result: TableResult, tmp_path: Path) -> None:
    text = write_table(result, tmp_path, COMMAND).read_text()
    main = result.kinds[0].rows["dynamic"].figures["accuracy"]
    assert main is not None
    published, accuracy, *_ = _cells(text, "dynamic")
    assert published.startswith("89.6 [1]")
    assert accuracy.startswith(f"{100 * main.mean:.1f} ({100 * main.low:.1f} to {100 * main.high:.1f})")  # type: ignore[operator]
    assert _cells(text, "static, equal")[0] == "no primary source"
    assert _cells(text, "progress")[0] == ""  # not in the paper
    assert "Papers with Code" in text
    assert "FaceLiveNet" in text
    sources = re.findall(r'<li id="source-\d+">(.*?)</li>', text)
    assert all("source says" in source for source in sources)


def test_no_number_without_a_source_appears(result: TableResult, tmp_path: Path) -> None:
    """Rows of the verification table of Oulu-CASIA are said to be without one."""
    job = replace(result.job, table=replace(result.job.table, kinds=result.job.table.kinds[1:2]))
    text = write_table(evaluate_table(job, result.runs), tmp_path, COMMAND).read_text()
    assert _cells(text, "dynamic")[0] == "no primary source"
    assert '"No primary source" means' in text.replace("&#34;", '"')
    assert "source-1" not in text


def test_photos_are_shown_only_where_the_terms_allow_it(result: TableResult, tmp_path: Path, read) -> None:
    text = write_table(result, tmp_path / "closed", COMMAND).read_text()
    assert "<img" not in text
    assert "do not allow its photos" in text
    assert re.search(r"<code>P00\d/\w+\.png</code>", text)
    material = copy.copy(result.job.material)
    assert material is not None
    material.source = replace(material.source, printable=True)
    open_set = replace(result, job=replace(result.job, material=material))
    text = write_table(open_set, tmp_path / "open", COMMAND).read_text()
    loaded = read(text).loaded
    assert loaded
    assert all(address.startswith("data:image/jpeg;base64,") for address in loaded)
    assert "do not allow" not in text
    text = write_table(open_set, tmp_path / "open", COMMAND, photos=False).read_text()
    assert "<img" not in text
    assert "Photos were left out; these are their names." in text


def test_differences_are_coloured_from_ten_seeds_alone(result: TableResult, tmp_path: Path) -> None:
    first = result.kinds[0]
    for seeds, coloured, words in (
        (1, [], "1 seed is too few to tell a difference from chance"),
        (9, [], "9 seeds are too few to tell a difference from chance"),
        (10, ["better", "worse", ""], "Coloured where it excludes 0"),
    ):
        found = [
            replace(first.differences[0], figure=replace(first.differences[0].figure, low=low, high=high, seeds=seeds))
            for low, high in ((0.01, 0.02), (-0.02, -0.01), (-0.01, 0.01))
        ]
        text = write_table(replace(result, kinds=[replace(first, differences=found)]), tmp_path, COMMAND).read_text()
        kinds = re.findall(r'minus .*?</td><td class="(\w*)">', text)
        assert kinds == (coloured or [""] * 3)
        assert words in text
        assert ("Coloured where" in text) == (seeds >= 10)


def test_quirks_have_a_table_of_their_own(result: TableResult, tmp_path: Path) -> None:
    text = write_table(result, tmp_path, COMMAND).read_text()
    assert "quirks are worth" in text
    assert "75.0 (" in text
    assert "the epoch is chosen on the test fold" in text
    clean = evaluate_table(replace(result.job, quirks=()), result.runs)
    assert "quirks are worth" not in write_table(clean, tmp_path, COMMAND).read_text()


def test_folds_that_were_made_are_named(material: Material, tmp_path: Path) -> None:
    for folds, words, metric in (
        ((), "3 folds", "Accuracy (3-fold)"),
        ((1,), "fold 1 of 3", "Accuracy (fold 1 of 3)"),
        ((0, 2), "folds 0, 2 of 3", "Accuracy (folds 0, 2 of 3)"),
    ):
        job = made_job(material, folds=folds)
        text = write_table(evaluate_table(job, made_runs(job)), tmp_path, COMMAND).read_text()
        assert f"6 expressions, {words}, 2 seeds" in text
        records = json.loads((tmp_path / "results.json").read_text())["records"]
        assert {record["metric"] for record in records} == {metric}


def test_how_learning_rates_were_chosen_is_told(result: TableResult, tmp_path: Path) -> None:
    assert "The learning rate was given." in write_table(result, tmp_path, COMMAND).read_text()
    tuned = replace(result.job, setup=replace(SMALL, learning_rates=(1e-5, 1e-4)))
    runs = replace(result.runs, learning_rates={"equal": 1e-5, "dynamic": 1e-4, "progress": 1e-4})
    text = write_table(replace(result, job=tuned, runs=runs), tmp_path, COMMAND).read_text()
    assert "chosen on one grid by the validation people" in text
    assert "Learning rates: equal 1e-05; dynamic 0.0001; progress 0.0001." in text


def test_results_hold_every_figure(result: TableResult, tmp_path: Path) -> None:
    write_table(result, tmp_path, COMMAND)
    found = json.loads((tmp_path / "results.json").read_text())
    assert (found["schema"], found["command"], found["quick"]) == (1, COMMAND, False)
    assert found["data"]["photos"] == 42
    assert [fold["test"] for fold in found["folds"]] == [["P001", "P002"], ["P003", "P004"], ["P005", "P006"]]
    expression, pairs, authentication = found["protocols"]
    row = expression["rows"]["dynamic"]
    main = result.kinds[0].rows["dynamic"].figures["accuracy"]
    assert main is not None
    assert row["figures"]["accuracy"]["mean"] == main.mean
    assert sum(row["by_fold"]) / 3 == pytest.approx(main.mean)
    assert sum(map(sum, row["confusion"])) == 2 * main.n
    assert row["quirks"]["best-on-test"]["mean"] == pytest.approx(0.75)
    assert sum(pairs["pairs"].values()) == pairs["rows"]["dynamic"]["figures"]["accuracy"]["n"]
    apart = expression["differences"][0]["figure"]
    assert (apart["seeds"], apart["seed_sd"] is not None) == (2, True)
    assert set(authentication["metrics"]) == {
        "accuracy",
        "frr",
        "far_wrong_expression",
        "far_wrong_person",
        "far_both_wrong",
    }
    assert found["dynamics"]["dynamic"]["lag"] == 2
    first = found["published"][0]
    assert (first["model"], first["value"]) == ("Dynamic MTL", 89.6)


def test_what_comes_from_outside_is_escaped(result: TableResult, tmp_path: Path) -> None:
    text = write_table(result, tmp_path, "mien reproduce '<script>alert(1)</script>'").read_text()
    assert "<script" not in text
    evil = result.kinds[0].rows["dynamic"].mistakes[0]
    rows = dict(result.kinds[0].rows)
    rows["dynamic"] = replace(rows["dynamic"], mistakes=(replace(evil, photos=("<script>", "b")),))
    job = replace(result, kinds=[replace(result.kinds[0], rows=rows), *result.kinds[1:]])
    text = write_table(job, tmp_path, COMMAND).read_text()
    assert "<script" not in text
    assert "<code>&lt;script&gt;</code> and <code>b</code>" in text
