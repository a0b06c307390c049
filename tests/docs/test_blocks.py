"""What the other tests here stand on must be able to fail."""

from __future__ import annotations

import pytest
from blocks import check_commands, find_blocks, run_page

PYTHON = "before\n\n```python\nx = 1\n```\n\n```python\nassert x == {}\n```\n"


def test_blocks_share_names_and_tell_the_pages_line(workplace):
    run_page(PYTHON.format(1), "page.md")
    with pytest.raises(AssertionError) as failure:
        run_page(PYTHON.format(2), "page.md")
    last = failure.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("page.md", 8)


def test_a_named_block_is_a_file_for_the_shell(workplace):
    run_page("```python\n# a.py\nprint(6 * 7)\n```\n\n```sh\npython a.py > out.txt\n```\n", "page.md")
    assert (workplace / "out.txt").read_text() == "42\n"


def test_the_shell_stops_at_the_first_error(workplace):
    with pytest.raises(AssertionError, match=r"page\.md:2: exit code 1"):
        run_page("```sh\nfalse\ntrue\n```\n", "page.md")


def test_a_block_that_is_not_run_says_why(workplace):
    text = "<!-- not run: no camera -->\n```sh\nmien analyze camera:0\nfalse\n```\n"
    assert [block.reason for block in find_blocks(text)] == ["no camera"]
    run_page(text, "page.md")


@pytest.mark.parametrize(
    "line",
    [
        "mien analyse a.jpg",
        "mien analyze a.jpg --jason",
        "mien gallery enrol Ada",
        "mien gallery",
        "mien verify a",
        "mien serve --prot 1",
        "mien serve --port 1 kees",
        "mien serve keys",
        "mien serve keys add a --role king",
    ],
)
def test_a_command_that_does_not_exist_is_found(line):
    (block,) = find_blocks(f"```sh\n{line}\n```\n")
    with pytest.raises(AssertionError, match="page"):
        check_commands(block, "page")


@pytest.mark.parametrize(
    "line",
    [
        "mien verify a.jpg b.jpg",
        "mien info --json > out",
        "mien compare toy --set steps=3  # x",
        "mien serve --port 1",
        "mien serve keys add a --role enrol",
    ],
)
def test_a_command_that_exists_passes(line):
    (block,) = find_blocks(f"```sh\n{line}\n```\n")
    check_commands(block, "page")


def test_a_language_that_nothing_runs_is_refused(workplace):
    with pytest.raises(AssertionError, match="nothing runs a block of 'perl'"):
        run_page("```perl\n1\n```\n", "page.md")
