// What a person sees while a challenge runs: the prompt, the ring, the steps, the time left.

import { byId, show, tell } from "./dom.js";
import { PROMPTS } from "./words.js";

const FULL = 450; // milliseconds for which a finished prompt is shown as done
const STUCK = 5000; // milliseconds without progress after which help is offered
const NOT_SEEN = "Not seen yet. Come closer, face the light, and exaggerate a little.";
const LOST = "Your face was lost, so it begins again. Stay in the picture.";

const ring = byId("prove-ring");
const steps = byId("prove-steps");
let step = 0;
let fullUntil = 0;
let moved = 0; // when there was progress last

export function begin() {
  step = 0;
  fullUntil = 0;
  moved = performance.now();
  steps.replaceChildren();
  tell(byId("prove-help"));
  prompt("", "", "");
  fill(0);
  for (const id of ["prove-step", "prove-time"]) byId(id).textContent = "";
}

/** Count down to the beginning: people see themselves first, and no time is lost yet. */
export function countdown(text) {
  tell(byId("prove-countdown"), text);
  if (text) prompt("Get ready", "The whole face in the circle.", PROMPTS.neutral[2]);
}

/** Show where a challenge stands. */
export function draw(answer) {
  const now = performance.now();
  byId("prove-time").textContent = `${Math.ceil(answer.seconds_left)} seconds left`;
  if (answer.step > step) fullUntil = now + FULL;
  if (answer.step < step) tell(byId("prove-help"), LOST);
  if (answer.step !== step || answer.progress > 0) moved = now;
  if (answer.step > step || answer.progress > 0) tell(byId("prove-help"));
  if (now - moved > STUCK) tell(byId("prove-help"), NOT_SEEN);
  step = answer.step;
  mark(answer);
  if (now < fullUntil) return fill(1); // the next prompt follows in a moment
  fill(answer.progress);
  if (answer.prompt) prompt(...PROMPTS[answer.prompt]);
  byId("prove-step").textContent = `${step + 1} of ${answer.steps} ·`;
}

function fill(share) {
  ring.style.strokeDashoffset = 1 - share;
  ring.classList.toggle("none", share === 0);
}

/** Write a prompt, if it is another one: screen readers read each change. */
function prompt(text, how, drawing) {
  if (byId("prove-prompt").textContent === text) return;
  byId("prove-prompt").textContent = text;
  byId("prove-how").textContent = how;
  byId("prove-face").firstElementChild.setAttribute("d", drawing);
  show(byId("prove-face"), drawing !== "");
}

function mark(answer) {
  while (steps.children.length < answer.steps) steps.append(document.createElement("li"));
  [...steps.children].forEach((item, position) => {
    item.classList.toggle("done", position < answer.step);
    item.classList.toggle("now", position === answer.step);
  });
}
