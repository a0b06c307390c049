"""What people do with the page, done in a browser whose camera shows a clip."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime

import pytest
from clips import FACE, MIDDLE, SIZE
from PIL import Image
from playwright.sync_api import expect

from mien import Gallery

ADA = "Ada Lovelace"
CONSENT = "to open the door of the workshop"


def enrol(api, photos, name=ADA):
    files = [("photo", (photo.name, photo.read_bytes())) for photo in photos]
    answer = api.post("/v1/people", data={"name": name, "consent": CONSENT}, files=files)
    assert answer.status_code == 201, answer.text


@pytest.fixture
def enrolled(api, cast):
    enrol(api, cast.photos)
    return api


def begin(page, name=ADA):
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Begin").click()


def drop(page, data):
    """Drop a file of these bytes on the stage, as with the mouse."""
    page.evaluate(
        """async (data) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([Uint8Array.fromBase64(data)], "photo.jpg", {type: "image/jpeg"}));
          document.querySelector("#look-stage").dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true}));
        }""",
        base64.b64encode(data).decode(),
    )


def test_somebody_is_enrolled_with_the_camera_then_known_and_removed(opened, api):
    page = opened("#people")
    expect(page.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    page.get_by_role("link", name="Enrol somebody").click()
    page.get_by_label("Name", exact=True).fill(ADA)
    page.get_by_label("What is agreed to").fill(CONSENT)
    expect(page.get_by_role("button", name="Use camera")).to_be_hidden()  # consent comes first
    page.get_by_label("explicit consent").check()
    page.get_by_role("button", name="Use camera").click()
    for number in (1, 2):
        page.get_by_role("button", name="Take photo").click()
        expect(page.get_by_role("list", name="Photos taken").get_by_text("Good: one face.")).to_have_count(number)
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("heading", name=f"{ADA} is enrolled with 2 photos.")).to_be_focused()
    person = api.get(f"/v1/people/{ADA}").json()
    assert (person["consent"], person["samples"]) == (CONSENT, 2)
    assert person["expires"] is not None

    page.get_by_role("link", name="Look").click()
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#look-faces .name")).to_have_text(ADA)
    expect(page.locator(".box.known")).to_have_count(1)

    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name=f"Remove {ADA}").click()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name=ADA)).to_be_visible()
    page.get_by_role("button", name=f"Remove {ADA}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    assert api.get("/v1/people").json()["people"] == []


def test_the_box_lies_on_the_face_and_is_mirrored_with_the_picture(opened, api):
    page = opened()
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator(".box")).to_have_count(1)
    box, picture = page.evaluate(  # at one moment: boxes are drawn anew with each picture
        "['.box', '#look-picture'].map((one) => document.querySelector(one).getBoundingClientRect().toJSON())"
    )
    assert box["width"] / picture["width"] == pytest.approx(FACE / SIZE[0], abs=0.05)
    for (start, length), share in {("x", "width"): 1 - MIDDLE[0], ("y", "height"): MIDDLE[1]}.items():
        middle = (box[start] + box[length] / 2 - picture[start]) / picture[length]
        assert middle == pytest.approx(share, abs=0.03)
    page.get_by_role("button", name="Take photo").click()  # the picture stays, the camera goes
    expect(page.locator("#look-summary")).to_have_text("One face")
    assert page.evaluate("document.querySelector('#look-video').srcObject") is None


def test_a_photo_that_is_chosen_or_dropped_names_who_is_known(opened, api, cast, examples):
    enrol(api, [examples / "obama.jpg"], name="Barack Obama")
    page = opened()
    page.get_by_label("Choose a photo").set_input_files(examples / "obama2.jpg")
    expect(page.locator("#look-faces .name")).to_have_text("Barack Obama")
    expect(page.locator("#look-faces .bar")).to_have_count(7)
    expect(page.locator("#announcer")).to_have_text(re.compile("^One face. Barack Obama, "))

    drop(page, (examples / "biden.jpg").read_bytes())
    expect(page.locator("#look-faces .name")).to_have_text("Unknown")


def test_what_is_no_photo_is_refused_in_a_sentence(opened, tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear Sir")
    page = opened()
    page.get_by_label("Choose a photo").set_input_files(tmp_path / "letter.jpg")
    expect(page.get_by_role("alert")).to_have_text("This file cannot be read as a photo. Use a JPEG, PNG or WebP.")


def test_photos_are_sent_small_upright_and_without_their_metadata(opened, tmp_path, examples):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "taken at home", 6  # a description, and: turn by a quarter
    with Image.open(examples / "obama.jpg") as photo:
        photo.resize((2000, 1000)).save(tmp_path / "home.jpg", exif=exif)
    assert b"taken at home" in (tmp_path / "home.jpg").read_bytes()
    page = opened()
    sent = page.evaluate(
        """async (data) => {
          const {read, toJpeg} = await import("/photo.js");
          const photo = await toJpeg(await read(new File([Uint8Array.fromBase64(data)], "home.jpg")));
          return new Uint8Array(await photo.arrayBuffer()).toBase64();
        }""",
        base64.b64encode((tmp_path / "home.jpg").read_bytes()).decode(),
    )
    with Image.open(io.BytesIO(base64.b64decode(sent))) as photo:
        assert (photo.format, photo.size, dict(photo.getexif())) == ("JPEG", (800, 1600), {})


PROMPTS_NOTED = """() => {
  const prompt = document.querySelector("#prove-prompt");
  window.prompts = [];
  new MutationObserver(() => window.prompts.push(prompt.textContent)).observe(prompt, {childList: true});
}"""


def test_the_right_person_with_the_right_expressions_is_accepted(opened, enrolled, cast):
    page = opened("#prove")
    page.evaluate(PROMPTS_NOTED)
    begin(page)
    expect(page.get_by_role("heading", name=f"It’s you, {ADA}.")).to_be_focused()
    prompts = page.evaluate("window.prompts")
    assert prompts[0] == "Get ready"
    assert "Smile" in prompts
    assert page.evaluate("document.querySelector('#prove-video').srcObject") is None


def test_neither_another_expression_nor_another_person_is_accepted(opened, enrolled):
    pages = [opened("#prove", camera=clip) for clip in ("wrong_expression", "wrong_person")]
    for page in pages:
        begin(page)
    for page in pages:  # at the same time: each takes all the time that there is
        expect(page.get_by_role("heading", name="Not accepted")).to_be_visible(timeout=40_000)
        # The same sentence: it does not tell whether the face or the expression was wrong.
        expect(page.locator("#prove-reason")).to_have_text(
            "That face and all the expressions were not seen together in time."
        )
    pages[0].get_by_role("button", name="Try again").click()
    expect(pages[0].get_by_label("Your name")).to_have_value(ADA)


def test_a_challenge_that_cannot_begin_says_why(opened, enrolled):
    page = opened("#prove", expected=["429"])
    begin(page, "")
    expect(page.get_by_text("Write the name that you are enrolled by.")).to_be_visible()
    for _ in range(3):
        assert enrolled.post("/v1/challenges", json={"person": ADA}).status_code == 201
    begin(page)
    expect(page.get_by_role("alert")).to_have_text("Too many attempts without success. Try again in 5 minutes.")


def test_leaving_before_the_countdown_ends_spends_no_attempt_and_lets_go_of_the_camera(opened, enrolled):
    page = opened("#prove")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    begin(page)
    expect(page.locator("#prove-countdown")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    begin(page)
    expect(page.locator("#prove-countdown")).to_be_visible()
    page.get_by_role("link", name="Look").click()
    expect(page.get_by_role("heading", name="Look")).to_be_focused()  # the link's view comes a moment after the click
    assert page.evaluate("document.querySelector('#prove-video').srcObject") is None
    page.wait_for_timeout(2600)  # longer than the countdown
    assert not [url for url in asked if url.endswith("/challenges")]


# A camera that the person at the screen allows late: when the test calls allow().
ASKED_FIRST = """() => {
  const media = navigator.mediaDevices;
  const ask = media.getUserMedia.bind(media);
  const allowed = new Promise((resolve) => { window.allow = resolve; });
  window.streams = [];
  media.getUserMedia = async (wanted) => {
    await allowed;
    window.streams.push(await ask(wanted));
    return window.streams.at(-1);
  };
}"""
LET_GO = "window.streams.length === 1 && window.streams[0].getTracks().every((track) => track.readyState === 'ended')"


def wait_until(page, condition):
    """Ask from outside until it is true: `wait_for_function` asks in the page, whose policy forbids `eval`."""
    for _ in range(160):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"not so within 8 s: {condition}")


@pytest.mark.parametrize("view", ["look", "enrol", "prove"])
def test_a_camera_that_is_allowed_after_its_view_was_left_goes_out_at_once(view, opened, enrolled):
    page = opened(f"#{view}")
    page.evaluate(ASKED_FIRST)
    if view == "prove":
        begin(page)
    elif view == "enrol":
        page.get_by_label("explicit consent").check()
        page.get_by_role("button", name="Use camera").click()
    else:
        page.get_by_role("button", name="Live camera").click()
    page.get_by_role("link", name="People", exact=True).click()
    expect(page.get_by_role("heading", name="People")).to_be_focused()
    page.evaluate("window.allow()")
    wait_until(page, LET_GO)
    assert page.evaluate(f"document.querySelector('#{view}-video').srcObject") is None


# A step on the way of a chosen photo, which goes on when the test calls go().
HELD = """(step) => {
  const [owner, name] = {
    decoded: [window, "createImageBitmap"],
    encoded: [HTMLCanvasElement.prototype, "toBlob"],
  }[step];
  const plain = owner[name];
  const gone = new Promise((resolve) => { window.go = resolve; });
  window.waiting = false;
  owner[name] = async function (...given) {
    window.waiting = true;
    await gone;
    return plain.apply(this, given);
  };
}"""


def fill_in(page, name):
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("What is agreed to").fill(CONSENT)
    page.get_by_label("explicit consent").check()


def begin_another(page):
    """Leave an enrolment for a new one."""
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Enrol somebody").click()
    expect(page.get_by_role("heading", name="Enrol somebody")).to_be_focused()


@pytest.mark.parametrize("step", ["decoded", "encoded"])
def test_photos_that_come_after_their_enrolment_was_left_are_dropped(step, opened, api, cast):
    page = opened("#enrol")
    looked_at = []
    page.on("request", lambda request: looked_at.append(request.url) if "analyze" in request.url else None)
    fill_in(page, ADA)
    page.evaluate(HELD, step)
    page.get_by_label("Choose photos").set_input_files(cast.photos)
    wait_until(page, "window.waiting")
    begin_another(page)
    page.evaluate("window.go()")
    page.wait_for_timeout(1000)  # longer than two photos take
    expect(page.locator("#enrol-shots > li")).to_have_count(0)
    assert looked_at == []
    fill_in(page, "Grace Hopper")
    page.get_by_label("Choose photos").set_input_files(cast.photos[0])
    expect(page.get_by_text("Good: one face.")).to_have_count(1)


@pytest.mark.parametrize("status", [201, 503])
def test_an_answer_that_comes_after_its_enrolment_was_left_ends_no_other(status, opened, api, cast):
    page = opened("#enrol", expected=["503"])
    held = []
    page.route("**/v1/people", lambda route: held.append(route) if route.request.method == "POST" else route.fallback())
    fill_in(page, ADA)
    page.get_by_label("Choose photos").set_input_files(cast.photos[0])
    expect(page.get_by_text("Good: one face.")).to_be_visible()
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("button", name="Enrol")).to_be_disabled()
    begin_another(page)
    fill_in(page, "Grace Hopper")
    (route,) = held
    with page.expect_response("**/v1/people"):
        if status == 201:
            route.continue_()
        else:
            route.fulfill(
                status=503, content_type="application/problem+json", body='{"code": "busy", "detail": "busy"}'
            )
    page.wait_for_timeout(200)
    expect(page.locator("#enrol-done")).to_be_hidden()
    expect(page.locator("#enrol-message")).to_be_hidden()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Grace Hopper")
    expect(page.get_by_role("button", name="Enrol")).to_be_enabled()


def test_a_file_that_is_no_photo_ends_the_live_pictures_too(opened):
    page = opened()
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator(".box")).to_have_count(1)
    drop(page, b"Dear Sir")
    expect(page.get_by_role("alert")).to_have_text("This file cannot be read as a photo. Use a JPEG, PNG or WebP.")
    expect(page.get_by_role("button", name="Live camera")).to_be_visible()
    assert page.evaluate("document.querySelector('#look-video').srcObject") is None


def test_enrolment_tells_what_is_missing_and_what_is_wrong_with_photos(opened, enrolled, cast, tmp_path, examples):
    Image.new("RGB", (400, 300), "grey").save(tmp_path / "wall.png")
    page = opened("#enrol", expected=["409", "422"])
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    expect(page.locator(".field-error:visible")).to_have_count(3)
    page.get_by_label("Name", exact=True).fill("Grace Hopper")
    page.get_by_label("What is agreed to").fill(CONSENT)
    page.get_by_label("explicit consent").check()
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_text("Take or choose at least one photo.")).to_be_visible()
    page.get_by_label("Choose photos").set_input_files(tmp_path / "wall.png")
    expect(page.get_by_text("No face was found.")).to_be_visible()
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("alert")).to_contain_text("None of the photos can be used.")
    page.get_by_role("button", name="Discard photo 1").click()

    page.get_by_label("Choose photos").set_input_files(cast.photos)
    page.get_by_label("Name", exact=True).fill(ADA)
    expect(page.get_by_text("Good: one face.")).to_have_count(2)
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody of this name is enrolled already.")
    page.get_by_label("Name", exact=True).fill("Grace Hopper")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("#enrol-report")).to_contain_text(f"Looks like {ADA}, who is enrolled too")


def test_photos_are_added_to_somebody_and_the_data_saved(opened, enrolled, cast):
    page = opened("#people")
    page.get_by_role("link", name=f"Add photos of {ADA}").click()
    expect(page.get_by_label("What is agreed to")).to_be_hidden()  # it was agreed to before
    page.get_by_label("Choose photos").set_input_files(cast.photos[0])
    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_role("heading", name=f"{ADA} is enrolled with 3 photos.")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save data of {ADA}").click()
    assert ADA in download.value.path().read_text()


def test_whose_consent_has_ended_is_asked_again(opened, enrolled, server, cast):
    with Gallery(server.gallery) as gallery:
        gallery.enroll(ADA, gallery.embeddings(ADA), expires=datetime(2026, 1, 1, tzinfo=UTC))
    page = opened("#people")
    page.get_by_role("link", name=f"Add photos of {ADA}").click()
    expect(page.get_by_text("The consent of this person has ended")).to_be_visible()
    expect(page.get_by_label("Choose photos")).to_be_hidden()
    expect(page.get_by_label("Name", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_label("What is agreed to")).to_be_focused()
    expect(page.locator(".field-error:visible")).to_have_count(2)
    page.get_by_label("What is agreed to").fill("to open the gate")
    page.get_by_label("explicit consent").check()
    page.get_by_label("Choose photos").set_input_files(cast.photos[0])
    expect(page.get_by_text("Good: one face.")).to_be_visible()
    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_role("heading", name=f"{ADA} is enrolled with 5 photos.")).to_be_visible()
    person = enrolled.get(f"/v1/people/{ADA}").json()
    assert (person["consent"], person["expired"]) == ("to open the gate", False)


def test_photos_of_nobody_are_not_asked_for(opened, enrolled):
    page = opened("#enrol/Nobody", expected=["404"])
    expect(page.get_by_role("alert")).to_have_text("Nobody of this name is enrolled.")
    expect(page.get_by_role("button", name="Add photos")).to_be_hidden()
