"""What the README shows must run."""

from __future__ import annotations

import re
from pathlib import Path

from blocks import check_commands, find_blocks, run_python

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(monkeypatch, capsys):
    analysis, training = (block for block in find_blocks(README) if block.language == "python")
    monkeypatch.chdir(ROOT)
    names = {}
    run_python([analysis], "README.md", names)
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
    run_python([training], "README.md", context)
    assert not torch.equal(before, network.weight)


def test_the_commands_of_the_readme_exist():
    for block in find_blocks(README):
        check_commands(block, "README.md")


def test_the_files_that_the_readme_links_are_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert len(links) >= 7
