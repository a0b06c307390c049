"""What stands between a person and the service: keys, roles, no camera, no connection."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect
from served import MAIN


@pytest.fixture(scope="module")
def guarded(serve):
    """A service with keys: its address, and a key of each role."""
    server = serve()

    def add(role):
        command = [sys.executable, "-c", MAIN, "serve", "keys", "add", role, "--role", role]
        return subprocess.run(
            [*command, "--gallery", str(server.gallery)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ).stdout.strip()

    return server.url, {role: add(role) for role in ("analyse", "enrol")}


def use(page, key):
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use key").click()


def test_a_key_is_asked_for_and_kept_for_the_tab_alone(opened, guarded, examples):
    address, keys = guarded
    page = opened(address=address)
    use(page, "mien_wrong")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("The service does not know this key.")
    use(page, keys["analyse"])
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_label("Choose a photo").set_input_files(examples / "obama.jpg")
    expect(page.locator("#look-summary")).to_have_text("One face")
    page.reload()
    expect(page.get_by_role("heading", name="Look")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.context.storage_state() == {"cookies": [], "origins": []}  # neither cookies nor local storage
    assert keys["analyse"] not in page.url
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_role("dialog", name="API key")).to_be_visible()


def test_a_key_of_a_lesser_role_is_told_what_it_cannot_do(opened, guarded):
    address, keys = guarded
    page = opened("#people", address=address)
    use(page, keys["analyse"])
    expect(page.get_by_role("alert")).to_have_text("The list needs an API key of the role enrol.")
    expect(page.get_by_role("link", name="Enrol somebody")).to_be_hidden()
    page.get_by_role("button", name="API key").click()
    use(page, keys["enrol"])
    expect(page.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Enrol somebody")).to_be_visible()


def test_without_a_camera_photos_are_taken_by_the_device(opened, api, cast):
    page = opened(camera=None)
    page.get_by_role("button", name="Live camera").click()
    expect(page.get_by_role("alert")).to_have_text("No camera was found.")
    page.locator("#look-capture input").set_input_files(cast.photos[0])
    expect(page.locator("#look-summary")).to_have_text("One face")
    page.goto(page.url.split("#")[0] + "#prove")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("alert")).to_have_text("No camera was found.")


def test_where_the_browser_gives_no_camera_the_page_says_why(opened, api, cast, browser, server):
    context = browser(None).new_context()
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'mediaDevices', {value: undefined})")
    page = context.new_page()
    page.goto(f"{server.url}/#prove")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("alert")).to_contain_text("only to pages over HTTPS or on this machine")
    page.goto(f"{server.url}/#enrol")
    page.get_by_label("explicit consent").check()
    expect(page.get_by_role("button", name="Use camera")).to_be_hidden()
    expect(page.locator("#enrol-capture")).to_be_visible()
    assert page.locator("#enrol-capture input").get_attribute("capture") == "user"
    context.close()


def test_a_lost_connection_is_told_in_a_sentence(opened, api, examples):
    page = opened(expected=["ERR_INTERNET_DISCONNECTED"])
    expect(page.get_by_role("heading", name="Look")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_label("Choose a photo").set_input_files(examples / "obama.jpg")
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached.")
