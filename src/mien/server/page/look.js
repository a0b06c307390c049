// Look: a photo, or the live camera, with the faces that the service sees.

import { call } from "./api.js";
import { Camera, cameraPossible, severalCameras } from "./camera.js";
import { announce, byId, onFiles, pause, show, tell } from "./dom.js";
import { description, drawBoxes, listFaces, summary } from "./faces.js";
import { LONGEST, read, toJpeg } from "./photo.js";
import { sentence } from "./words.js";

const LIVE_SIDE = 640; // pixels: faces across a table stay large enough, and a frame is some 40 kB
const LIVE_PAUSE = 100; // milliseconds between frames, to leave the service to others too
const SPEAK_EVERY = 4000; // milliseconds between what screen readers are told of live pictures

const stage = byId("look-stage");
const picture = byId("look-picture");
const canvas = byId("look-canvas");
const video = byId("look-video");
const camera = new Camera(video);
let turn = 0; // the latest thing to look at; answers about earlier ones are dropped

export const look = {
  title: "Look",
  enter: offer,
  leave() {
    turn += 1;
    clear();
  },
};

/** Show the buttons that make sense now. */
function offer() {
  for (const id of ["look-shoot", "look-stop"]) show(byId(id), camera.on);
  show(byId("look-live"), !camera.on && cameraPossible());
  show(byId("look-choose"), !camera.on);
  show(byId("look-capture"), !cameraPossible());
  show(byId("look-switch"), false);
}

/** The stage takes the shape of the picture, and fits on the screen. */
function fit({ width, height }) {
  picture.style.aspectRatio = `${width} / ${height}`;
  picture.style.maxWidth = `${(68 * width) / height}vh`;
  stage.classList.add("filled");
  show(byId("look-empty"), false);
  show(picture);
}

function clear() {
  camera.stop();
  stage.classList.remove("filled");
  show(byId("look-empty"));
  show(picture, false);
  results([], { width: 1, height: 1 });
  tell(byId("look-summary"), "Faces");
  show(byId("look-hint"));
  tell(byId("look-message"));
  offer();
}

function results(faces, size, threshold = 0, mirrored = false) {
  drawBoxes(byId("look-boxes"), faces, size, mirrored);
  listFaces(byId("look-faces"), faces, threshold);
  tell(byId("look-summary"), summary(faces));
  show(byId("look-hint"), false);
}

/** Look at a still picture. */
async function still(source) {
  const mine = (turn += 1);
  camera.stop();
  offer();
  tell(byId("look-message"));
  canvas.width = source.width;
  canvas.height = source.height;
  canvas.getContext("2d").drawImage(source, 0, 0);
  show(video, false);
  show(canvas);
  fit(source);
  results([], source);
  tell(byId("look-summary"), "Looking …");
  try {
    const answer = await call("POST", "identify?k=1", await toJpeg(source));
    if (mine !== turn) return;
    results(answer.faces, source, answer.threshold);
    announce(description(answer.faces));
  } catch (error) {
    if (mine !== turn) return;
    tell(byId("look-summary"), "Faces");
    tell(byId("look-message"), sentence(error));
  }
}

async function file(chosen) {
  const mine = (turn += 1);
  try {
    const source = await read(chosen);
    if (mine === turn) await still(source);
  } catch (error) {
    if (mine !== turn) return;
    clear(); // also the live pictures: their turn is over
    tell(byId("look-message"), error.message);
  }
}

/** Look at the camera's pictures, one after the other, until something else is wanted. */
async function live(open) {
  const mine = (turn += 1);
  tell(byId("look-message"));
  try {
    await open();
    if (mine !== turn) return;
    show(canvas, false);
    show(video);
    results([], camera.size);
    fit(camera.size);
    offer();
    show(byId("look-switch"), await severalCameras());
    await follow(mine);
  } catch (error) {
    if (mine !== turn) return;
    clear();
    show(byId("look-capture"));
    tell(byId("look-message"), error.code ? sentence(error) : error.message);
  }
}

async function follow(mine) {
  let spoken = 0;
  let said = "";
  while (mine === turn) {
    const frame = camera.picture(LIVE_SIDE);
    const answer = await patient(() => toJpeg(frame, 0.85).then((jpeg) => call("POST", "identify?k=1", jpeg)));
    if (mine !== turn) return;
    fit(camera.size); // a phone may have been turned
    results(answer.faces, frame, answer.threshold, camera.mirrored);
    const text = description(answer.faces);
    if (text !== said && performance.now() - spoken > SPEAK_EVERY) {
      announce(text);
      [said, spoken] = [text, performance.now()];
    }
    await pause(LIVE_PAUSE);
  }
}

/** Live pictures may wait for a busy service. */
async function patient(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!["busy", "rate_exceeded"].includes(error.code)) throw error;
      await pause(1000 * Math.max(1, error.retryAfter));
    }
  }
}

const shown = () => !byId("look").hidden;

onFiles(byId("look-choose"), ([first]) => file(first));
onFiles(byId("look-capture"), ([first]) => file(first));
byId("look-live").addEventListener("click", () => live(() => camera.start()));
byId("look-switch").addEventListener("click", () => live(() => camera.turn()));
byId("look-stop").addEventListener("click", () => {
  look.leave();
  byId("look-live").focus();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden && camera.on) look.leave(); // nobody sees what it would show
});
byId("look-shoot").addEventListener("click", () => {
  still(camera.picture(LONGEST));
  byId("look-live").focus();
});

document.addEventListener("paste", (event) => {
  const [first] = event.clipboardData.files;
  if (first && shown()) file(first);
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // else a photo that is dropped beside the stage would replace the page
    stage.classList.toggle("dragged", shown());
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) stage.classList.remove("dragged");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  stage.classList.remove("dragged");
  const [first] = event.dataTransfer.files;
  if (first && shown()) file(first);
});
