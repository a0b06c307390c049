// The dialogs: fair use, and the key when the service asks for one.

import { greet, keepKey, service } from "./api.js";
import { byId, mark, show } from "./dom.js";
import { sentence } from "./words.js";

const dialog = byId("key");
const text = byId("key-text");
let onKey = () => {};

/** Ask for a key; the function is called once there is one that is valid. */
export function askKey(then = onKey) {
  onKey = then;
  if (dialog.open) return;
  text.value = "";
  mark(text);
  dialog.showModal();
}

async function use(key) {
  if (!key) return mark(text, "Paste the key; it begins with mien_.");
  keepKey(/^[\x21-\x7e]+$/.test(key) ? key : ""); // else it could not stand in a header
  try {
    await greet();
  } catch (error) {
    return mark(text, sentence(error));
  }
  if (service.role === null) {
    keepKey("");
    return mark(text, "The service does not know this key.");
  }
  dialog.close();
  onKey();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  use(text.value.trim());
});
byId("key-change").addEventListener("click", () => askKey());

for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => byId(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** Offer another key where keys are used. */
export function offerKey() {
  show(byId("key-change"), service.key_needed);
}
