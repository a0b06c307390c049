"""What the documentation shows must run."""

from __future__ import annotations

from pathlib import Path

import method_pages
import pytest
from blocks import check_commands, find_blocks, run_page, run_python
from services import Server

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = DOCS / method_pages.FOLDER
PAGES = sorted(
    path.relative_to(DOCS).as_posix()
    for path in DOCS.rglob("*.md")
    if not path.is_relative_to(WRITTEN) and find_blocks(path.read_text(encoding="utf-8"))
)
SHELL_NOT_RUN = {"page.md"}  # a server goes on until it is stopped
SERVED = {"service.md": "localhost:8000"}  # what stands for a service that is running
LIGHTNINGS_OWN = "ignore:`isinstance:FutureWarning"
MARKS = {
    "weighting/comparing.md": [pytest.mark.slow],
    "weighting/loops.md": [pytest.mark.slow],  # starts several processes
    "weighting/frameworks.md": [pytest.mark.filterwarnings(LIGHTNINGS_OWN)],
}


@pytest.fixture
def served(workplace, monkeypatch):
    """Start a service in the current folder; gives where it listens."""
    (workplace / ".curlrc").write_text("fail-with-body\n")  # else curl ends well whatever the answer is
    monkeypatch.setenv("CURL_HOME", str(workplace))
    running = []

    def start():
        running.append(Server())
        with running[-1].client() as client:
            return client.base_url.netloc.decode()

    yield start
    for server in running:
        assert server.stop() == 0
        server.process.stderr.close()


@pytest.mark.parametrize("page", [pytest.param(page, marks=MARKS.get(page, [])) for page in PAGES])
def test_the_code_of_a_page_runs(page, workplace, served):
    text = (DOCS / page).read_text(encoding="utf-8")
    if page in SERVED:
        text = text.replace(SERVED[page], served())
    if page in SHELL_NOT_RUN:
        for block in find_blocks(text):
            check_commands(block, page)
    else:
        run_page(text, page)


@pytest.mark.parametrize("method", method_pages.REGISTRY)
def test_the_step_of_a_method_runs(method, capsys):
    blocks = [
        block
        for block in find_blocks(method_pages.page(method, method_pages.REGISTRY[method]))
        if block.language == "python"
    ]
    names: dict[str, object] = {}
    run_python(blocks, method, names)
    assert capsys.readouterr().out.startswith("{'identity': ")
    assert names["trunk"][0].weight.grad is not None
