"""What the README shows must run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    analysis, training = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(analysis, "README.md", "exec"), names)  # the README's own code
    assert "happiness" in capsys.readouterr().out
    assert len(names["results"]) == 2

    import torch

    from mien.weighting import DynamicWeighting

    network = torch.nn.Linear(4, 8)
    shared = network(torch.rand(5, 4))
    context = {
        "torch": torch,
        "DynamicWeighting": DynamicWeighting,
        "network": network,
        "shared": shared,
        "loss_id": shared.square().mean(),
        "loss_expr": shared.abs().mean(),
    }
    before = network.weight.clone()
    exec(compile(training, "README.md", "exec"), context)
    assert not torch.equal(before, network.weight)


def test_the_files_that_the_readme_links_are_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert len(links) >= 7
