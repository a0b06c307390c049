// The photos of an enrolment before they are sent: each is checked for one face, and can be discarded.

import { call } from "./api.js";
import { copyOf } from "./dom.js";
import { toJpeg } from "./photo.js";
import { asSentence, sentence } from "./words.js";

const SMALLEST = 64; // pixels of a face, as the gallery asks
const THUMBNAIL = 320; // pixels

export class Shots {
  #list;
  #shots = [];
  #changed;

  /** Photos in a list element; `changed` is called when one comes or goes. */
  constructor(list, changed) {
    this.#list = list;
    this.#changed = changed;
  }

  get length() {
    return this.#shots.length;
  }

  /** The photos, as JPEGs, in order. */
  get jpegs() {
    return this.#shots.map((shot) => shot.jpeg);
  }

  /** Add a picture on a canvas, and check it; not where the list was cleared meanwhile. */
  async add(canvas) {
    const item = copyOf("shot");
    const shots = this.#shots;
    const shot = { item, jpeg: await toJpeg(canvas) };
    if (shots !== this.#shots) return;
    const small = item.querySelector("canvas");
    small.width = small.height = THUMBNAIL;
    cut(small.getContext("2d"), canvas, THUMBNAIL);
    item.querySelector("button").addEventListener("click", () => this.#discard(shot));
    this.#shots.push(shot);
    this.#list.append(item);
    this.#renamed();
    await check(shot);
  }

  /** Show what the service found of each, in order. */
  report(answers) {
    answers.forEach((answer, position) => {
      const [problem] = answer.problems;
      if (this.#shots[position]) verdict(this.#shots[position].item, problem ? asSentence(problem) : "");
    });
  }

  clear() {
    this.#shots = [];
    this.#list.replaceChildren();
    this.#changed();
  }

  #discard(shot) {
    const position = this.#shots.indexOf(shot);
    this.#shots.splice(position, 1);
    shot.item.remove();
    this.#renamed();
    (this.#shots[position] ?? this.#shots.at(-1))?.item.querySelector("button").focus();
  }

  #renamed() {
    this.#shots.forEach(({ item }, position) => {
      item.querySelector("canvas").setAttribute("aria-label", `Photo ${position + 1}`);
      item.querySelector("button").setAttribute("aria-label", `Discard photo ${position + 1}`);
    });
    this.#changed();
  }
}

/** The middle of a picture, as a square. */
function cut(context, picture, side) {
  const { width, height } = picture;
  const part = Math.min(width, height);
  context.drawImage(picture, (width - part) / 2, (height - part) / 2, part, part, 0, 0, side, side);
}

async function check({ item, jpeg }) {
  try {
    const { faces } = await call("POST", "analyze", jpeg);
    verdict(item, fault(faces));
  } catch (error) {
    verdict(item, sentence(error));
  }
}

function verdict(item, fault) {
  item.classList.toggle("bad", fault !== "");
  item.querySelector(".verdict").textContent = fault || "Good: one face.";
}

function fault(faces) {
  if (!faces.length) return "No face was found.";
  if (faces.length > 1) return `${faces.length} faces: use a photo of the person alone.`;
  const [left, top, right, bottom] = faces[0].box;
  return Math.min(right - left, bottom - top) < SMALLEST ? "The face is too small: come closer." : "";
}
