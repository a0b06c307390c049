"""That everybody can use the page: with a keyboard, a screen reader, a thumb, in the dark; and that it is its own."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import mien.server

PAGE = Path(mien.server.__file__).parent / "page"
VIEWS = ["#look", "#people", "#enrol", "#prove"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LAPTOP = {"viewport": {"width": 1280, "height": 800}}
SMALLEST_TARGET = 44
"""Pixels: the target size of WCAG 2.5.5."""


@pytest.fixture
def peopled(api, cast):
    files = [("photo", (photo.name, photo.read_bytes())) for photo in cast.photos]
    data = {"name": "Ada " * 12 + "Lovelace", "consent": "to open the door", "expires": "2999-01-01"}
    assert api.post("/v1/people", data=data, files=files).status_code == 201


def complaints(page):
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]


def shown(page, view):
    page.goto(page.url.split("#")[0] + view)
    expect(page.locator(f"{view} h1")).to_be_visible()
    if view == "#people":
        expect(page.locator(".person")).to_have_count(1)


@pytest.mark.parametrize(
    ("device", "scheme"), [(PHONE, "dark"), (LAPTOP, "light")], ids=["phone, dark", "laptop, light"]
)
def test_axe_finds_nothing_wrong(opened, peopled, cast, device, scheme):
    page = opened(color_scheme=scheme, **device)
    for view in VIEWS:
        shown(page, view)
        assert complaints(page) == [], view
    shown(page, "#enrol")
    page.get_by_role("button", name="Enrol").click()  # with what is said about fields
    assert complaints(page) == []
    shown(page, "#look")
    page.get_by_label("Choose a photo").set_input_files(cast.photos[0])
    expect(page.locator(".face")).to_have_count(1)
    assert complaints(page) == []
    page.get_by_role("contentinfo").get_by_role("button", name="Fair use").click()
    assert complaints(page) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(opened, peopled, cast, width):
    page = opened(viewport={"width": width, "height": 844})
    for view in VIEWS:
        shown(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
    shown(page, "#look")
    page.get_by_label("Choose a photo").set_input_files(cast.photos[0])
    expect(page.locator(".face")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_targets_are_large_enough_for_a_thumb(opened, peopled):
    page = opened(**PHONE)
    for view in VIEWS:
        shown(page, view)
        for control in page.locator(
            "button:visible, a:visible, label.button:visible, select:visible, summary:visible, .check:visible"
        ).all():
            if "skip" in (control.get_attribute("class") or ""):
                continue
            box = control.bounding_box()
            assert min(box["width"], box["height"]) >= SMALLEST_TARGET, (view, control.inner_text())


def test_the_keyboard_alone_reaches_everything(opened, api):
    page = opened()
    expect(page.get_by_role("heading", name="Look")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose a photo")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Live camera")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Fair use")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#look [data-opens]")).to_be_focused()
    page.get_by_role("link", name="Prove it’s you").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Prove it’s you")).to_be_focused()
    assert page.title() == "Prove it’s you · mien"
    assert page.locator("nav [aria-current=page]").inner_text() == "Prove it’s you"


def test_motion_stops_for_those_who_ask(opened):
    durations = "getComputedStyle(document.querySelector('#prove-ring')).transitionDuration"
    assert opened("#prove").evaluate(durations) == "0.22s"
    assert opened("#prove", reduced_motion="reduce").evaluate(durations) == "0s"


def test_the_policy_lets_nothing_in_but_the_pages_own_files(api, opened):
    policy = httpx.get(str(api.base_url)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    page = opened(expected=["Content Security Policy"])
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hit = 1'}))")
    assert page.evaluate("window.hit") is None


def test_the_page_names_no_other_place():
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|localStorage", text), (
            path.name
        )
        if path.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
