// People: the list of those who are enrolled, and their removal.

import { call, may } from "./api.js";
import { announce, byId, copyOf, show, tell } from "./dom.js";
import { count, day, sentence } from "./words.js";

const list = byId("people-list");
const dialog = byId("remove");
let after = ""; // where the next page of the list begins
let leaving = null; // whom the dialog asks about

export const people = {
  title: "People",
  enter() {
    list.replaceChildren();
    after = "";
    more();
  },
  leave() {},
};

/** The path of a person in the API. */
export const pathOf = (name) => `people/${encodeURIComponent(name)}`;

async function more() {
  tell(byId("people-message"));
  show(byId("people-enrol"), may("enrol"));
  show(byId("people-empty"), false);
  show(byId("people-more"), false);
  if (!may("enrol")) return tell(byId("people-message"), "The list needs an API key of the role enrol.");
  try {
    const answer = await call("GET", `people?after=${encodeURIComponent(after)}`);
    after = answer.next ?? "";
    list.append(...answer.people.map(row));
    show(byId("people-empty"), answer.total === 0);
    show(byId("people-more"), answer.next !== null);
  } catch (error) {
    tell(byId("people-message"), sentence(error));
  }
}

function row(person) {
  const item = copyOf("person-row");
  item.querySelector(".initials").textContent = initials(person.name);
  item.querySelector(".name").textContent = person.name;
  item.querySelector(".facts").textContent = facts(person);
  item.querySelector(".consent").textContent = person.consent ? `Agreed: ${person.consent}` : "";
  const [add, save, remove] = ["add", "save", "remove"].map((name) => item.querySelector(`.${name}`));
  add.href = `#enrol/${encodeURIComponent(person.name)}`;
  add.setAttribute("aria-label", `Add photos of ${person.name}`);
  show(save, may("admin"));
  save.setAttribute("aria-label", `Save data of ${person.name}`);
  save.addEventListener("click", () => download(person.name));
  remove.setAttribute("aria-label", `Remove ${person.name}`);
  remove.addEventListener("click", () => ask(person, item));
  return item;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("").toUpperCase();
}

function facts(person) {
  const end = person.expires && `${person.expired ? "ended" : "until"} ${day(person.expires)}`;
  return [count(person.samples, "photo"), `since ${day(person.enrolled)}`, end].filter(Boolean).join(" · ");
}

/** All that is stored about a person, as a file: their right to have it. */
async function download(name) {
  try {
    const text = await call("GET", `${pathOf(name)}/export`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
    link.download = `${name}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    tell(byId("people-message"), sentence(error));
  }
}

function ask(person, item) {
  leaving = { name: person.name, item };
  byId("remove-title").textContent = `Remove ${person.name}?`;
  tell(byId("remove-error"));
  dialog.showModal();
}

byId("remove-yes").addEventListener("click", async (event) => {
  const { name, item } = leaving;
  event.target.disabled = true;
  try {
    const { pending } = await call("DELETE", pathOf(name));
    item.remove();
    dialog.close();
    byId("people-title").focus();
    announce(`${name} is removed.`);
    if (pending) {
      tell(
        byId("people-message"),
        `${name} is removed, but another program reads the file now: the old bytes are overwritten when it ends.`,
      );
    }
    show(byId("people-empty"), !list.children.length && byId("people-more").hidden);
  } catch (error) {
    tell(byId("remove-error"), sentence(error));
  } finally {
    event.target.disabled = false;
  }
});

byId("people-more").addEventListener("click", more);
