"""Cards in the form that the Hugging Face Hub reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from made_answers import made_job, made_runs

import mien
from mien.reports import write_table
from mien.reproduction import TableResult, evaluate_table
from mien.reproduction.material import Material


@pytest.fixture(scope="module")
def result(material: Material) -> TableResult:
    job = made_job(material)
    return evaluate_table(job, made_runs(job, {"dynamic": 0.1}))


@pytest.fixture
def card(result: TableResult, tmp_path: Path) -> str:
    write_table(result, tmp_path, "mien reproduce made")
    return (tmp_path / "model-card.md").read_text()


def _front(card: str) -> dict[str, object]:
    _, front, _ = card.split("---\n", 2)
    return yaml.safe_load(front)


def test_the_front_matter_is_a_model_index(card: str, result: TableResult) -> None:
    """Each entry: a name and results of one task, one data set and metrics with type and value."""
    front = _front(card)
    index = front["model-index"]
    assert [entry["name"] for entry in index] == [
        "mien, static, equal (resnet29, dlib)",
        "mien, dynamic (resnet29, dlib)",
    ]
    for entry in index:
        assert len(entry["results"]) == 3  # one a protocol
        for found in entry["results"]:
            assert set(found) == {"task", "dataset", "metrics"}
            assert set(found["task"]) == set(found["dataset"]) == {"type", "name"}
            assert found["dataset"] == {"type": "oulu-casia", "name": "Oulu-CASIA"}
            (metric,) = found["metrics"]
            assert metric["type"] == "accuracy"
            assert isinstance(metric["value"], float)
            assert metric["verified"] is False
            assert metric["args"]["code"] == f"mien {mien.__version__}"
            assert {"protocol", "spread", "n"} <= set(metric["args"])
    main = result.kinds[0].rows["dynamic"].figures["accuracy"]
    assert main is not None
    assert index[1]["results"][0]["metrics"][0]["value"] == round(100 * main.mean, 2)
    assert front["library_name"] == "mien"


def test_the_card_lists_the_same_results_and_no_published_ones(card: str) -> None:
    rows = [line for line in card.splitlines() if line.startswith("| Fac")]
    assert len(rows) == 6
    assert "89.6" not in card
    assert "| Facial Expression Recognition | Oulu-CASIA | Accuracy (3-fold) | 100.0 | mien, static, equal" in card
    assert "`mien reproduce made` makes them anew" in card
    assert "AI Act" in card
