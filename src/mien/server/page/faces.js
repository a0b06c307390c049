// Faces as the service tells them: boxes over the picture, and a card with bars for each.

import { copyOf } from "./dom.js";
import { EXPRESSIONS, count, percent } from "./words.js";

/** Labels of more faces would cover them. */
const MOST_NAMES = 6;

const nameOf = (face) => face.known ?? "Unknown";

/** All faces in one sentence. */
export function summary(faces) {
  if (!faces.length) return "No face";
  return faces.length === 1 ? "One face" : count(faces.length, "face");
}

/** The same with names and expressions, for those who do not see them. */
export function description(faces) {
  const each = faces.map((face) => {
    const expression = EXPRESSIONS[face.expression]?.toLowerCase();
    return expression ? `${nameOf(face)}, ${expression}` : nameOf(face);
  });
  return [summary(faces), ...each].join(". ");
}

/**
 * Draw boxes over a picture.
 * @param {HTMLElement} layer that lies over all of the picture.
 * @param {{width: number, height: number}} size of the picture that was looked at, in pixels.
 * @param {boolean} mirrored whether the picture is shown as in a mirror.
 */
export function drawBoxes(layer, faces, size, mirrored = false) {
  layer.replaceChildren(...faces.map((face, position) => box(face, position, faces.length, size, mirrored)));
}

function box(face, position, total, { width, height }, mirrored) {
  let [left, top, right, bottom] = face.box;
  if (mirrored) [left, right] = [width - right, width - left];
  const frame = document.createElement("div");
  frame.className = "box";
  frame.classList.toggle("known", Boolean(face.known));
  frame.classList.toggle("inside", top < 0.1 * height);
  frame.classList.toggle("rightward", left > 0.55 * width);
  const across = { left, width: right - left };
  const down = { top, height: bottom - top };
  for (const [side, value] of Object.entries(across)) frame.style[side] = `${(100 * value) / width}%`;
  for (const [side, value] of Object.entries(down)) frame.style[side] = `${(100 * value) / height}%`;
  const label = document.createElement("span");
  const number = total > 1 ? [position + 1] : [];
  label.textContent = [...number, ...(total > MOST_NAMES ? [] : [nameOf(face)])].join(" · ");
  frame.append(label);
  return frame;
}

/** Show cards in a list; those that are there are changed in place, so that bars move instead of jumping. */
export function listFaces(list, faces, threshold) {
  while (list.children.length > faces.length) list.lastElementChild.remove();
  while (list.children.length < faces.length) list.append(copyOf("face-card"));
  faces.forEach((face, position) => {
    fill(list.children[position], face, faces.length > 1 ? position + 1 : "", threshold);
  });
}

function fill(card, face, number, threshold) {
  const nearest = face.matches[0];
  card.querySelector(".index").textContent = number;
  card.querySelector(".name").textContent = nameOf(face);
  card.querySelector(".distance").textContent =
    face.known && nearest ? `distance ${nearest.distance.toFixed(2)}, limit ${threshold.toFixed(2)}` : "";
  const bars = card.querySelector(".bars");
  const scores = Object.entries(face.probabilities ?? {});
  while (bars.children.length > scores.length) bars.lastElementChild.remove();
  while (bars.children.length < scores.length) bars.append(bar());
  scores.forEach(([name, share], position) => {
    const row = bars.children[position];
    row.classList.toggle("top", name === face.expression);
    row.querySelector(".label").textContent = EXPRESSIONS[name] ?? name;
    row.querySelector("i").style.transform = `scaleX(${share})`;
    row.querySelector(".share").textContent = percent(share);
  });
}

function bar() {
  const row = document.createElement("li");
  row.className = "bar";
  const [label, track, share] = ["label", "track", "share"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  track.setAttribute("aria-hidden", "true");
  track.append(document.createElement("i"));
  row.append(label, track, share);
  return row;
}
