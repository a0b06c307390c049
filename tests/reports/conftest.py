from __future__ import annotations

from html.parser import HTMLParser

import pytest
from made_answers import SMALL
from made_trees import grow_crops

from mien.datasets import READERS
from mien.reproduction import find_table
from mien.reproduction.material import Material


class Reader(HTMLParser):
    """Finds what a page would load, and whether its tags are balanced."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ("src", "href") and value:
                (self.targets.add(value[1:]) if value.startswith("#") else self.loaded.append(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def read():
    """Read a page; gives a `Reader` that found its tags balanced and its own links leading somewhere."""

    def read(text: str) -> Reader:
        reader = Reader()
        reader.feed(text)
        assert reader.open == []
        assert reader.targets <= reader.ids
        return reader

    return read


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Six drawn people of an aligned Oulu-CASIA."""
    crops = grow_crops(tmp_path_factory.mktemp("crops"), 6)
    return Material(find_table("oulu-expression").data[0], READERS["index"](crops), SMALL.cut)
