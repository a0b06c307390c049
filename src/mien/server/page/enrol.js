// Enrol somebody: who, consent, photos; or add photos to somebody who is enrolled.

import { call, may, service } from "./api.js";
import { Camera, cameraPossible } from "./camera.js";
import { announce, byId, mark, onFiles, show, tell } from "./dom.js";
import { pathOf } from "./people.js";
import { LONGEST, read } from "./photo.js";
import { Shots } from "./shots.js";
import { GUIDES, asSentence, count, sentence } from "./words.js";

const DAY = 86_400_000; // milliseconds

const form = byId("enrol-form");
const camera = new Camera(byId("enrol-video"));
const shots = new Shots(byId("enrol-shots"), changed);
const fields = ["enrol-name", "enrol-consent", "enrol-agreed"].map(byId);
const [name, consent, agreed] = fields;
let existing = ""; // whom photos are added to
let asked = true; // whether consent is asked for: of new people, and of those whose consent has ended
let turn = 0; // the enrolment that is open; what an earlier one still waited for is dropped

export const enrol = {
  title: "Enrol",
  enter(who) {
    turn += 1;
    existing = who;
    form.reset();
    shots.clear();
    fields.forEach((field) => mark(field));
    for (const id of ["enrol-message", "enrol-photos-error"]) tell(byId(id));
    byId("enrol-title").textContent = existing ? `Add photos of ${existing}` : "Enrol somebody";
    byId("enrol-submit").textContent = existing ? "Add photos" : "Enrol";
    byId("enrol-submit").disabled = false;
    for (const part of [byId("enrol-who"), ...form.querySelectorAll(".number")]) show(part, !existing);
    show(byId("enrol-ended"), Boolean(existing));
    show(form);
    show(byId("enrol-done"), false);
    offer();
    if (existing && may("enrol")) recall();
    else ask(!existing);
    if (!may("enrol")) tell(byId("enrol-message"), "Enrolling needs an API key of the role enrol.");
  },
  leave() {
    turn += 1;
    camera.stop();
    shots.clear(); // photos of an enrolment that was left are nobody's to keep
  },
};

/** Show what is to be filled in, with or without consent. */
function ask(wanted) {
  asked = wanted;
  show(byId("enrol-new"), asked);
  for (const id of ["enrol-photos", "enrol-submit"]) show(byId(id));
  consented();
}

/** Whether somebody is asked for consent again depends on its end. */
async function recall() {
  const mine = turn;
  for (const id of ["enrol-new", "enrol-photos", "enrol-submit"]) show(byId(id), false);
  try {
    const { expired } = await call("GET", pathOf(existing));
    if (mine === turn) ask(expired);
  } catch (error) {
    if (mine === turn) tell(byId("enrol-message"), sentence(error));
  }
}

/** Photos come after consent: a check for a face looks at them already. */
function consented() {
  const yes = !asked || agreed.checked;
  show(byId("enrol-first"), !yes);
  show(byId("enrol-after"), yes);
  if (!yes) stop();
}

function offer() {
  for (const id of ["enrol-camera", "enrol-shoot", "enrol-stop"]) show(byId(id), camera.on);
  show(byId("enrol-live"), !camera.on && cameraPossible());
  show(byId("enrol-choose"), !camera.on);
  show(byId("enrol-capture"), !cameraPossible());
}

function changed() {
  byId("enrol-guide").textContent = GUIDES[shots.length] ?? "Enough photos; more do no harm";
}

function stop() {
  camera.stop();
  offer();
}

async function add(picture) {
  if (shots.length >= service.limits.photos) {
    return tell(byId("enrol-photos-error"), `At most ${service.limits.photos} photos at a time.`);
  }
  tell(byId("enrol-photos-error"));
  await shots.add(picture);
}

async function addFiles(files) {
  const mine = turn;
  for (const file of files) {
    try {
      const picture = await read(file);
      if (mine !== turn) return;
      await add(picture);
    } catch (error) {
      if (mine !== turn) return;
      tell(byId("enrol-photos-error"), `${file.name}: ${error.message}`);
    }
  }
}

/** Whether the form is complete; else says what is missing, and goes to the first of it. */
function complete() {
  const wanted = [...(existing ? [] : [name]), ...(asked ? [consent, agreed] : [])];
  const wrong = wanted.filter((field) => !filled(field));
  mark(name, filled(name) ? "" : "Write the person’s name.");
  mark(consent, filled(consent) ? "" : "Write what the person agrees to be recognised for.");
  mark(agreed, filled(agreed) ? "" : "Nobody can be enrolled without consent.");
  wrong[0]?.focus();
  if (wrong.length) return false;
  tell(byId("enrol-photos-error"), shots.length ? "" : "Take or choose at least one photo.");
  if (!shots.length) byId(cameraPossible() ? "enrol-live" : "enrol-choose").focus();
  return shots.length > 0;
}

const filled = (field) => (field.type === "checkbox" ? field.checked : field.value.trim() !== "");

function content() {
  const data = new FormData();
  if (!existing) data.append("name", name.value.trim());
  if (asked) {
    data.append("consent", consent.value.trim());
    const days = Number(byId("enrol-end").value);
    if (days) data.append("expires", new Date(Date.now() + days * DAY).toISOString());
  }
  shots.jpegs.forEach((jpeg, position) => data.append("photo", jpeg, `${position + 1}.jpg`));
  return data;
}

async function send() {
  tell(byId("enrol-message"));
  if (!complete()) return;
  const mine = turn;
  stop();
  const button = byId("enrol-submit");
  button.disabled = true;
  try {
    const path = existing ? `${pathOf(existing)}/samples` : "people";
    const answer = await call("POST", path, content());
    if (mine === turn) done(answer);
  } catch (error) {
    if (mine !== turn) return;
    shots.report(error.photos ?? []);
    tell(byId("enrol-message"), sentence(error));
    button.disabled = false;
  }
}

function done({ person, photos }) {
  const taken = photos.filter((photo) => photo.enrolled).length;
  byId("enrol-done-title").textContent = `${person.name} is enrolled with ${count(person.samples, "photo")}.`;
  const lines = photos.flatMap(({ photo, enrolled, problems, warnings }) =>
    [...(enrolled ? [] : problems), ...warnings].map((text) => `Photo ${photo}: ${asSentence(text)}`),
  );
  const heading = `${taken} of ${count(photos.length, "photo")} passed the checks; the photos themselves are not kept.`;
  byId("enrol-report").replaceChildren(...[heading, ...lines].map(line));
  byId("enrol-prove").href = `#prove/${encodeURIComponent(person.name)}`;
  shots.clear();
  show(form, false);
  show(byId("enrol-done"));
  byId("enrol-done-title").focus();
  turn += 1;
}

function line(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

agreed.addEventListener("change", consented);
for (const field of fields) field.addEventListener("input", () => mark(field));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
onFiles(byId("enrol-choose"), addFiles);
onFiles(byId("enrol-capture"), addFiles);
byId("enrol-stop").addEventListener("click", stop);
byId("enrol-shoot").addEventListener("click", () => {
  announce(`Photo ${shots.length + 1} taken.`);
  add(camera.picture(LONGEST));
});
byId("enrol-live").addEventListener("click", async () => {
  tell(byId("enrol-photos-error"));
  try {
    await camera.start();
    changed();
    offer();
    byId("enrol-shoot").focus();
  } catch (error) {
    offer();
    show(byId("enrol-capture"));
    tell(byId("enrol-photos-error"), error.message);
  }
});
