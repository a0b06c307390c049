// Photos as canvases. Drawing one anew makes it small and leaves its metadata behind: place, time, device.

/** Longest side of a photo that is sent, in pixels. */
export const LONGEST = 1600;

const UNREADABLE = "This file cannot be read as a photo. Use a JPEG, PNG or WebP.";

/**
 * Read a file; upright, as its EXIF tells.
 * @throws {Error} with a sentence.
 */
export async function read(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    throw new Error(UNREADABLE);
  }
  const canvas = paint(image, image, LONGEST);
  image.close();
  return canvas;
}

/** A picture on a canvas of its own, its longer side at most so many pixels. */
export function paint(source, { width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

export function toJpeg(canvas, quality = 0.92) {
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error(UNREADABLE))), "image/jpeg", quality);
  });
}
