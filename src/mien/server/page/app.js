// The page: which view is shown, and what the service is.

import { greet, service } from "./api.js";
import { askKey, offerKey } from "./dialogs.js";
import { byId, show, tell } from "./dom.js";
import { enrol } from "./enrol.js";
import { look } from "./look.js";
import { people } from "./people.js";
import { prove } from "./prove.js";
import { sentence } from "./words.js";

const VIEWS = { look, people, enrol, prove };
const TAB = { enrol: "people" }; // views that belong to another one's tab
let current = null;

/** Show the view that the address names, as in #enrol/Ada. */
function route(moved = true) {
  const [name, ...rest] = location.hash.slice(1).split("/");
  if (name === "main" && current) return; // the link that skips to the content; the browser moves the focus
  const next = Object.hasOwn(VIEWS, name) ? name : "look";
  current?.leave();
  current = VIEWS[next];
  for (const id of Object.keys(VIEWS)) show(byId(id), id === next);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${TAB[next] ?? next}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${current.title} · mien`;
  current.enter(decoded(rest.join("/")));
  if (!moved) return;
  scrollTo(0, 0);
  byId(`${next}-title`).focus({ preventScroll: true });
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

async function start() {
  try {
    await greet();
  } catch (error) {
    tell(byId("unreachable"), sentence(error));
  }
  byId("place").textContent = location.host || "this service";
  byId("model").textContent = service.model ? `${service.model} · mien ${service.version}` : "";
  offerKey();
  route(false);
  if (service.key_needed && service.role === null) askKey(() => route(false));
}

addEventListener("hashchange", () => route());
addEventListener("pagehide", () => current?.leave());
document.addEventListener("key-needed", () => askKey(() => route(false)));
start();
