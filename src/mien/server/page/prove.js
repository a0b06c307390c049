// Prove it's you: a challenge, answered with frames of the camera one after the other.

import { call, may } from "./api.js";
import { Camera } from "./camera.js";
import * as dial from "./dial.js";
import { byId, mark, pause, show, tell } from "./dom.js";
import { REFUSALS, ROUND, sentence } from "./words.js";

const SIDE = 480; // pixels of a frame's longer side: a face that fills the circle has 200
const PAUSE = 60; // milliseconds between frames; with the way there and back some ten a second
const PASSING = ["busy", "rate_exceeded", "photo_unusable", "unreachable"]; // the next frame may do better
const SIGNS = { accepted: `${ROUND}M7.8 12.3l2.9 2.9 5.6-6`, refused: `${ROUND}M12 7.5v5.5M12 16.3v.1` };

const form = byId("prove-form");
const name = byId("prove-name");
const camera = new Camera(byId("prove-video"));
let running = new AbortController();

export const prove = {
  title: "Prove it’s you",
  enter(who) {
    if (who) name.value = who;
    ready();
    suggest();
  },
  leave: stop,
};

function stop() {
  running.abort();
  camera.stop();
}

function only(part) {
  for (const one of ["prove-form", "prove-stage", "prove-result"]) show(byId(one), one === part);
  byId("prove").classList.toggle("under-way", part !== "prove-form");
}

function ready(problem = "") {
  stop();
  only("prove-form");
  tell(byId("prove-message"), problem);
}

/** Offer the names of those enrolled to those who may see them; others type theirs. */
async function suggest() {
  if (!may("enrol")) return;
  try {
    const { people } = await call("GET", "people?limit=1000");
    const options = people.filter((person) => !person.expired).map((person) => new Option("", person.name));
    byId("prove-names").replaceChildren(...options);
  } catch {
    byId("prove-names").replaceChildren(); // no more than a convenience
  }
}

/** From the form to the result. */
async function run(person) {
  stop();
  running = new AbortController();
  const { signal } = running;
  tell(byId("prove-message"));
  dial.begin();
  try {
    await camera.start();
    signal.throwIfAborted();
    only("prove-stage");
    byId("prove-cancel").focus();
    await countdown(signal);
    const answer = await answered(await call("POST", "challenges", { person }, signal), signal);
    result(answer, person);
  } catch (error) {
    if (signal.aborted) return;
    ready(error.code ? sentence(error) : error.message);
    name.focus();
  }
}

/** Nothing is asked of the service before: a challenge costs an attempt, and its time runs. */
async function countdown(signal) {
  for (const number of ["3", "2", "1"]) {
    dial.countdown(number);
    await pause(800);
    signal.throwIfAborted();
  }
  dial.countdown("");
}

async function answered(challenge, signal) {
  let answer = challenge;
  const deadline = performance.now() + 1000 * challenge.seconds_left + 5000; // the service's own end comes first
  while (answer.status === "running") {
    dial.draw(answer);
    await pause(PAUSE);
    const frame = await camera.frame(SIDE);
    try {
      answer = await call("POST", `challenges/${challenge.id}/frames`, frame, signal);
    } catch (error) {
      if (!PASSING.includes(error.code) || performance.now() > deadline) throw error;
      await pause(1000 * error.retryAfter);
    }
  }
  return answer;
}

function result({ status, reason }, person) {
  stop();
  const accepted = status === "accepted";
  byId("prove-result").classList.toggle("refused", !accepted);
  byId("prove-sign").setAttribute("d", SIGNS[status]);
  byId("prove-verdict").textContent = accepted ? `It’s you, ${person}.` : "Not accepted";
  byId("prove-reason").textContent = accepted ? "The same face showed all that was asked." : (REFUSALS[reason] ?? "");
  show(byId("prove-again"), !accepted);
  only("prove-result");
  byId("prove-verdict").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const person = name.value.trim();
  mark(name, person ? "" : "Write the name that you are enrolled by.");
  if (person) run(person);
  else name.focus();
});
byId("prove-cancel").addEventListener("click", () => {
  ready();
  byId("prove-begin").focus();
});
byId("prove-again").addEventListener("click", () => {
  ready();
  name.focus();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden && camera.on) ready("The challenge ended because the page was left.");
});
