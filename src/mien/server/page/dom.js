// Small helpers for the document. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** A copy of a template's one element. */
export const copyOf = (template) => byId(template).content.firstElementChild.cloneNode(true);

/** Show an element or hide it. */
export function show(element, visible = true) {
  element.hidden = !visible;
}

/** Write a message and show it; none hides it. Writing the same again would make screen readers repeat it. */
export function tell(element, text = "") {
  if (element.textContent !== text) element.textContent = text;
  show(element, text !== "");
}

/** Say what is wrong with a field, or that nothing is. */
export function mark(field, text = "") {
  field.setAttribute("aria-invalid", String(text !== ""));
  tell(byId(field.getAttribute("aria-describedby")), text);
}

/** Tell screen readers what others see. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Call with each group of files that an input gets; the same file may come again. */
export function onFiles(label, take) {
  const input = label.querySelector("input");
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) take(files);
  });
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
