"""Figures with their target, n and spread, as tables to read and as JSON to keep."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Unit = Literal["%", "points", "rate", "count", "x", "ms", "s", "MB", ""]

_FORMATS: dict[Unit, tuple[float, str]] = {
    "%": (100, ".2f"),
    "points": (100, "+.2f"),
    "rate": (1, ".5f"),
    "count": (1, ".0f"),
    "x": (1, ".2f"),
    "ms": (1000, ".1f"),
    "s": (1, ".3f"),
    "MB": (1e-6, ".0f"),
    "": (1, ".3f"),
}
"""For each unit: the factor from the stored value, and the digits. Shares, seconds and bytes are stored."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach.

    Attributes:
        value: the bound, in the figure's stored unit.
        kind: whether the figure should be at least or at most that.
    """

    value: float
    kind: Literal["at least", "at most"]

    def met(self, value: float) -> bool:
        """Whether a value keeps to the bound."""
        return value >= self.value if self.kind == "at least" else value <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured.
        value: a share, seconds, bytes, or a plain number.
        unit: how it is printed.
        n: of how many of what.
        low: lower end of its spread, or None.
        high: upper end of its spread, or None.
        target: what it should reach, or None.
        note: what else must be known, in a few words.
    """

    name: str
    value: float
    unit: Unit
    n: str
    low: float | None = None
    high: float | None = None
    target: Target | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that were measured in one way.

    Attributes:
        title: a heading.
        protocol: how it was measured.
        spread: what ``low`` and ``high`` of the figures are.
        figures: the figures.
        lines: counts, tables and remarks, printed below them as they are.
        details: more for the JSON file only.
    """

    title: str
    protocol: str
    spread: str
    figures: Sequence[Figure]
    lines: Sequence[str] = ()
    details: Mapping[str, object] = field(default_factory=dict)


def show(section: Section) -> str:
    """A section as Markdown."""
    header = ["figure", "value", section.spread, "n", "target", "met", "note"]
    rows = [header, ["---"] * len(header), *(_row(figure) for figure in section.figures)]
    kept = [i for i, name in enumerate(header) if i < 2 or (any(row[i] for row in rows[2:]) and name)]
    widths = {i: max(len(row[i]) for row in rows) for i in kept}
    table = ["| " + " | ".join(row[i].ljust(widths[i]) for i in kept) + " |" for row in rows]
    return "\n".join(["", f"## {section.title}", section.protocol, "", *table, "", *section.lines])


def publish(title: str, setting: Mapping[str, str], sections: Iterable[Section], path: Path | None) -> None:
    """Print a heading, the setting and each section as soon as it is measured; keep all in a JSON file if given.

    The file is written after every section, so that an hour of measuring is not lost to a mistake at its end.
    """
    print(f"# {title}", *(f"* {name}: {value}" for name, value in setting.items()), sep="\n")
    done: list[Section] = []
    for section in sections:
        print(show(section), flush=True)
        done.append(section)
        if path:
            write_json(path, setting, done)


def write_json(path: Path, setting: Mapping[str, str], sections: Sequence[Section]) -> None:
    """Keep everything that was printed, and the details."""
    record = {"setting": dict(setting), "sections": [_record(section) for section in sections]}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_sections(path: Path) -> list[Section]:
    """The sections of a file that `write_json` wrote, without their lines and details.

    Raises:
        OSError: the file cannot be read.
        ValueError, KeyError, TypeError: it is not such a file.
    """
    return [
        Section(
            section["title"], section["protocol"], section["spread"], [_figure(each) for each in section["figures"]]
        )
        for section in json.loads(path.read_text(encoding="utf-8"))["sections"]
    ]


def value_and_range(figure: Figure) -> str:
    """A figure as text, with its spread in brackets if it has one."""
    value = _format(figure.value, figure.unit)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({_range(figure.low, figure.high, figure.unit)})"


def confusion_lines(names: Sequence[str], counts: Sequence[Sequence[int]]) -> list[str]:
    """A confusion matrix as a table: a row a label, a column a prediction."""
    width = max(len(name) for name in names)
    head = "label \\ answer".ljust(width + 2) + " ".join(name[:8].rjust(9) for name in names)
    rows = [
        name.ljust(max(width + 2, 14)) + " ".join(str(count).rjust(9) for count in row)
        for name, row in zip(names, counts, strict=True)
    ]
    return ["```", head, *rows, "```"]


def _row(figure: Figure) -> list[str]:
    target = figure.target
    return [
        figure.name,
        _format(figure.value, figure.unit),
        "" if figure.low is None or figure.high is None else _range(figure.low, figure.high, figure.unit),
        figure.n,
        f"{target.kind} {_format(target.value, figure.unit)}" if target else "",
        ("yes" if target.met(figure.value) else "NO") if target else "",
        figure.note,
    ]


def _format(value: float, unit: Unit) -> str:
    factor, digits = _FORMATS[unit]
    number = format(value * factor, digits)
    if unit in ("rate", "count"):
        return number
    return f"{number}{unit}" if unit == "x" else f"{number} {unit}".rstrip()


def _range(low: float, high: float, unit: Unit) -> str:
    factor, digits = _FORMATS[unit]
    return f"{format(low * factor, digits)} to {format(high * factor, digits)}"


def _record(section: Section) -> dict[str, object]:
    record = asdict(section)
    for figure, written in zip(section.figures, record["figures"], strict=True):
        written["met"] = figure.target.met(figure.value) if figure.target else None
        written["value"] = figure.value if math.isfinite(figure.value) else None
    return record


def _figure(record: dict[str, Any]) -> Figure:
    """The figure of a record; what was not finite is NaN."""
    kept = {name: value for name, value in record.items() if name != "met"}
    target = kept["target"]
    value = math.nan if kept["value"] is None else kept["value"]
    return Figure(**{**kept, "value": value, "target": Target(**target) if target else None})
