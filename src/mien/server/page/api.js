// Calls of the service's API. A key lives in the tab's session storage and nowhere else.

const KEY = "mien-key";
const ROLES = ["analyse", "enrol", "admin"];

/** What the service tells of itself; filled by `greet`. */
export const service = { role: null, key_needed: false, limits: { body: 10e6, photos: 100 } };

/** What went wrong, as the service tells it (RFC 9457) or the network. */
export class Problem extends Error {
  constructor(members, retryAfter = 0) {
    super(members.detail);
    Object.assign(this, { code: members.code, photos: members.photos ?? [], request: members.request_id, retryAfter });
  }
}

/** Keep a key for this tab; an empty one forgets it. */
export function keepKey(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

/** Ask the service who it is and what we may do; gives the same as `service`. */
export async function greet() {
  return Object.assign(service, await call("GET", "service"));
}

/** Whether the key, or its absence, allows what a role may do. */
export const may = (role) => ROLES.indexOf(service.role) >= ROLES.indexOf(role);

/**
 * Call the service.
 * @param {string} method of HTTP.
 * @param {string} path after /v1/.
 * @param {Blob|FormData|object} [body] a photo, a form, or an object for JSON.
 * @param {AbortSignal} [signal] ends the call.
 * @returns what the service answers: an object, or text where it is no JSON.
 * @throws {Problem}
 */
export async function call(method, path, body, signal) {
  const headers = new Headers();
  const key = sessionStorage.getItem(KEY);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  if (body instanceof Blob) headers.set("Content-Type", body.type);
  else if (body && !(body instanceof FormData)) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(body);
  }
  const answer = await reach(`/v1/${path}`, { method, headers, body, signal, cache: "no-store" });
  const kind = answer.headers.get("Content-Type") ?? "";
  if (answer.ok) return kind.startsWith("application/json") ? answer.json() : answer.text();
  const problem = await problemOf(answer, kind);
  if (problem.code === "key_required") document.dispatchEvent(new Event("key-needed"));
  throw problem;
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", detail: error.message });
  }
}

async function problemOf(answer, kind) {
  const retryAfter = Number(answer.headers.get("Retry-After") ?? 0);
  if (kind.startsWith("application/problem+json")) return new Problem(await answer.json(), retryAfter);
  return new Problem({ code: "unknown", detail: `the service answered ${answer.status}` }, retryAfter);
}
