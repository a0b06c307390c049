"""No number without a source, and none that its source does not have."""

from __future__ import annotations

from mien.reproduction import ROWS, TABLES, Kind
from mien.reproduction.published import PAPER_SETS, PUBLISHED, paper_figure, peers


def test_the_papers_own_line() -> None:
    line = paper_figure("oulu-casia", Kind.EXPRESSION, "dynamic")
    assert line is not None
    assert (line.value, line.method, line.protocol) == (89.6, "Dynamic MTL", "10-fold")
    assert "Papers with Code" in line.source


def test_every_figure_has_its_source_and_is_a_share() -> None:
    for each in PUBLISHED:
        assert each.source
        assert 50 < each.value <= 100
        assert each.data in {source.name for table in TABLES.values() for source in table.data}


def test_the_papers_other_rows_have_no_source() -> None:
    found = {
        (data, kind, row.paper)
        for kind, sets in PAPER_SETS.items()
        for data in sets
        for row in ROWS
        if row.paper and paper_figure(data, kind, row.paper)
    }
    assert found == {
        ("oulu-casia", Kind.EXPRESSION, "dynamic"),
        ("ck-plus", Kind.EXPRESSION, "dynamic"),
        ("ck-plus", Kind.PAIRS, "dynamic"),
    }


def test_peers_are_no_rows_of_the_paper() -> None:
    assert [peer.method for peer in peers("oulu-casia", Kind.EXPRESSION)] == ["FaceLiveNet", "SD-CNN"]
    assert peers("london", Kind.EXPRESSION) == []
    assert paper_figure("oulu-casia", Kind.EXPRESSION, "") is None
