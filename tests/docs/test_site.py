"""The site builds without a warning, is complete, and fetches nothing from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.util.inventory import InventoryFile

from mien.weighting import REGISTRY

DOCS = Path(__file__).parents[2] / "docs"
PACKAGES = [
    "mien",
    "mien.authentication",
    "mien.comparison",
    "mien.datasets",
    "mien.detection",
    "mien.evaluation",
    "mien.gallery",
    "mien.networks",
    "mien.server",
    "mien.training",
    "mien.video",
    "mien.weighting",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run([*command, DOCS, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
    }


def test_no_page_fetches_anything_from_elsewhere(pages, site):
    fetched = [
        (name, source)
        for name, page in pages.items()
        for tag in page.select("script[src], img[src], iframe[src], link[href], source[src]")
        if "//" in (source := tag.get("src") or tag["href"])
    ]
    assert fetched == []
    for sheet in site.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8").replace("url(//", "url(http")


def test_every_link_within_the_site_leads_somewhere(pages, site):
    broken = [
        (name, link)
        for name, page in pages.items()
        for anchor in page.select("a[href]")
        if "//" not in (link := anchor["href"]) and not link.startswith(("#", "mailto:"))
        if not (site / name).parent.joinpath(link.partition("#")[0]).exists()
    ]
    assert broken == []


def test_formulas_are_formulas(pages):
    with_formulas = {name for name, page in pages.items() if page.find("math")}
    assert {f"weighting/methods/{name}.html" for name in ("dynamic", "progress", "famo", "gradnorm")} <= with_formulas
    prose = {
        name: [part.text for part in page.select("article p, article dd > p, article li")]
        for name, page in pages.items()
    }
    assert [name for name, parts in prose.items() if any("\\frac" in part or ":math:" in part for part in parts)] == []


def test_every_method_has_a_page_and_is_listed(pages):
    listed = {anchor["href"] for anchor in pages["weighting/methods/index.html"].select("article a[href]")}
    assert {f"{name}.html" for name in REGISTRY} <= listed


def test_every_public_name_is_in_the_reference(site):
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    known = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    missing = []
    for package in PACKAGES:
        module = import_module(package)
        for name in set(module.__all__) - {"__version__"}:
            homes = {package, getattr(getattr(module, name), "__module__", package)}
            also = {entry for entry in known if entry.startswith(f"{package}.") and entry.endswith(f".{name}")}
            if not also and not {f"{home}.{name}" for home in homes} & known:
                missing.append(f"{package}.{name}")
    assert missing == []
