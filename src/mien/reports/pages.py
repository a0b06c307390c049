"""Self-contained HTML pages from templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its heading and a caption that says what is seen."""

    title: str
    svg: str
    caption: str


def write_page(path: Path, template: str, content: Mapping[str, object]) -> None:
    """Fill a template of this package; everything but what the template marks as safe is escaped.

    Args:
        path: the HTML file; replaced when it is complete.
        template: name of the template.
        content: all that the template names; a missing value is an error.
    """
    environment = Environment(loader=PackageLoader("mien.reports"), autoescape=True, undefined=StrictUndefined)
    text = environment.get_template(template).render(content)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
