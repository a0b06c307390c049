from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_answers import made_job, made_runs

from mien.reports import write_results_page, write_table
from mien.reproduction import TableResult, evaluate_table
from mien.reproduction.material import Material


@pytest.fixture(scope="module")
def result(material: Material) -> TableResult:
    job = made_job(material)
    return evaluate_table(job, made_runs(job))


def _lines(page: Path) -> list[list[str]]:
    rows = re.findall(r"<tr.*?>(.*?)</tr>", page.read_text(), re.S)
    return [
        [" ".join(re.sub(r"<.*?>", " ", cell).split()) for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.S)]
        for row in rows
    ]


def test_the_papers_line_stands_first_even_alone(tmp_path: Path) -> None:
    head, line = _lines(write_results_page(tmp_path))
    assert head == ["Task", "Dataset", "Metric", "Value", "Model"]
    assert line[:4] == ["Facial Expression Recognition", "Oulu-CASIA", "Accuracy (10-fold)", "89.6"]
    assert line[4].startswith("Dynamic MTL [1]")


def test_all_tables_are_listed_and_published_lines_once(result: TableResult, tmp_path: Path, read) -> None:
    write_table(result, tmp_path / "one", "mien reproduce one")
    write_table(result, tmp_path / "two", "mien reproduce two", quick=True)
    page = write_results_page(tmp_path)
    lines = _lines(page)
    assert sum(line[4].startswith("Dynamic MTL") for line in lines) == 1
    ours = [line for line in lines if line[4].startswith("mien, ")]
    assert len(ours) == 2 * 3 * 2  # tables, protocols, rows
    assert sum("quick" in line[3] for line in ours) == 6
    assert all("interval" in line[4] for line in ours)
    assert set(read(page.read_text()).loaded) == {"one/index.html", "two/index.html"}
    assert all((tmp_path / link).is_file() for link in read(page.read_text()).loaded)


def test_tables_that_cannot_be_read_are_passed_over(result: TableResult, tmp_path: Path) -> None:
    write_table(result, tmp_path / "whole", "mien reproduce whole")
    for name, content in {"half": '{"records": [', "other": "{}", "list": "[1]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(content)
    ours = [line for line in _lines(write_results_page(tmp_path)) if line[4].startswith("mien, ")]
    assert len(ours) == 6
