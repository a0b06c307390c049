"""What the page on authentication shows must run."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_python_of_the_page_runs(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "authentication.md").read_text(), re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(compile(code, "authentication.md", "exec"), {})
    *prompts, audit = capsys.readouterr().out.splitlines()
    assert prompts == ["neutral", "neutral"]
    assert json.loads(audit)["person"] == "obama"
