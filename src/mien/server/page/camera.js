// The camera of the device, and pictures from it. No frame leaves the browser here.

import { paint, toJpeg } from "./photo.js";

const SECURE = "The browser gives its camera only to pages over HTTPS or on this machine (localhost).";
const REASONS = {
  NotAllowedError: "The camera is not allowed. Allow it for this page in the browser’s settings.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is used by another program.",
  OverconstrainedError: "No camera was found.",
};

/** Why there is no camera, as a sentence. */
export class CameraError extends Error {}

/** Whether the browser would give a camera to this page at all. */
export const cameraPossible = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** A camera shown in a video element. */
export class Camera {
  #video;
  #stream = null;
  #facing = "user";
  #turn = 0; // counts starts and stops, so that a start knows whether it is still wanted

  constructor(video) {
    this.#video = video;
  }

  /** Whether pictures come. */
  get on() {
    return this.#stream !== null;
  }

  /** People expect to see themselves as in a mirror. */
  get mirrored() {
    return this.#facing === "user";
  }

  get size() {
    return { width: this.#video.videoWidth, height: this.#video.videoHeight };
  }

  /**
   * Ask for the camera and show it. People may take long to allow it: where it was stopped or started anew meanwhile,
   * this start lets go of what it is given and ends without a word.
   * @throws {CameraError}
   */
  async start(facing = "user") {
    this.stop();
    if (!cameraPossible()) throw new CameraError(SECURE);
    this.#facing = facing;
    const mine = this.#turn;
    const wanted = { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      if (mine !== this.#turn) return release(stream);
      this.#stream = stream;
      this.#video.srcObject = this.#stream;
      this.#video.classList.toggle("mirrored", this.mirrored);
      await this.#video.play();
    } catch (error) {
      if (mine !== this.#turn) return;
      this.stop();
      throw new CameraError(REASONS[error.name] ?? "The camera cannot be used.");
    }
  }

  /** Turn to the other side of a phone. */
  turn() {
    return this.start(this.mirrored ? "environment" : "user");
  }

  /** The present picture, not mirrored, its longer side at most so many pixels. */
  picture(longest) {
    return paint(this.#video, this.size, longest);
  }

  /** The same as a JPEG. */
  frame(longest) {
    return toJpeg(this.picture(longest), 0.85);
  }

  /** Let go of the camera: its light goes out. */
  stop() {
    this.#turn += 1;
    if (this.#stream) release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }
}

const release = (stream) => stream.getTracks().forEach((track) => track.stop());

/** Whether there is another camera to turn to; told only once one is on. */
export async function severalCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput").length > 1;
}
