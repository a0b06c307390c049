"""A service, a browser, and a camera that shows a clip."""

from __future__ import annotations

import json
import os
import shutil

import httpx
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("av", reason="needs the extra video")
pytest.importorskip("playwright", reason="needs Playwright")
from clips import cast as cast_of
from clips import write_clip
from playwright.sync_api import expect, sync_playwright
from served import Served

from mien import Mien

PATIENCE = 20_000
"""Milliseconds for which a test waits for what the page should do: a shared machine may be slow."""
expect.set_options(timeout=PATIENCE)

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAKE_CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture(scope="session")
def chromium():
    """The browser's path: that in MIEN_CHROMIUM, else the first on the search path."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    path = os.environ.get("MIEN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("there is no Chromium; install it, or name it in MIEN_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def cast(tmp_path_factory, examples):
    return cast_of(tmp_path_factory.mktemp("photos"), examples)


@pytest.fixture(scope="session")
def clip(tmp_path_factory, cast):
    """Clips by name: those of `Cast`."""
    folder, mien, written = tmp_path_factory.mktemp("clips"), Mien(threads=1), {}

    def write(name):
        if name not in written:
            written[name] = write_clip(folder / f"{name}.mjpeg", getattr(cast, name), mien)
        return written[name]

    return write


@pytest.fixture(scope="session")
def serve(tmp_path_factory, cast):
    """Start services, each with a gallery of its own."""
    running = []

    def start(*arguments):
        folder = tmp_path_factory.mktemp("service")
        policy = folder / "policy.json"
        policy.write_text(json.dumps(cast.policy))
        running.append(Served(folder / "people.db", "--policy", policy, *arguments))
        return running[-1]

    yield start
    for service in running:
        service.stop()


@pytest.fixture(scope="session")
def server(serve):
    return serve()


@pytest.fixture
def api(server):
    """A client of the service, whose gallery is empty before each test."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for person in client.get("/v1/people").json()["people"]:
            assert client.delete(f"/v1/people/{person['name']}").status_code == 200
        yield client


@pytest.fixture(scope="session")
def browser(chromium, clip):
    """Browsers by the clip that their camera shows; None has no camera."""
    with sync_playwright() as playwright:
        running = {}

        def launch(name):
            if name not in running:
                fake = [] if name is None else [*FAKE_CAMERA, f"--use-file-for-fake-video-capture={clip(name)}"]
                running[name] = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *fake])
            return running[name]

        yield launch
        for one in running.values():
            one.close()


@pytest.fixture
def opened(browser, server):
    """Open the page, and check at the end that it asked nobody else and complained of nothing.

    The page's errors and refused styles or scripts come as console messages.
    """
    contexts, complaints, asked = [], [], []

    def open_page(hash_="", camera="clip", address=None, expected=(), **options):
        options = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
        context = browser(camera).new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: note(message, expected))
        page.on("request", lambda request: asked.append((request.url, address or server.url)))
        page.goto(f"{address or server.url}/{hash_}")
        return page

    def note(message, expected):
        if message.type in ("error", "warning") and not any(part in message.text for part in expected):
            complaints.append(message.text)

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url, own in asked if not url.startswith((own, "blob:"))] == []
