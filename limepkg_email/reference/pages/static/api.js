// Requests to the email package's endpoints and to the CRM itself.

import { signedOut } from "./session.js";

/** A refusal, with its sentence, its sentences per field, and what else the answer holds. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.message || `The server answered ${status}.`);
    this.status = status;
    this.errors = answer.errors ?? {};
    this.answer = answer;
  }

  /** All sentences, for where there are no fields to put them at. */
  get sentences() {
    return [...new Set(Object.values(this.errors).flat(4).filter((each) => typeof each === "string"))];
  }
}

const _here = document.body.dataset;

export const get = (path, query) => send("GET", path + search(query));
export const post = (path, body = {}, headers = {}) => send("POST", path, body, headers);
export const put = (path, body) => send("PUT", path, body);
export const remove = (path) => send("DELETE", path, {});

/** Give the address of an endpoint of the package. */
export const address = (path) => `${_here.emailBase}/${path}`;

/** Give a key under which a request does its work once, however often it is sent. */
export const newKey = () => ({ "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` });

/** Ask an address of the CRM itself for JSON. */
export async function ask(path, query) {
  return read(await reach(path + search(query), { headers: { Accept: "application/json" } }));
}

/** Ask again for what may not have changed; gives `null` then. `known` keeps the answer's tag. */
export async function getIfChanged(path, query, known) {
  const headers = { Accept: "application/json" };
  if (known.tag) headers["If-None-Match"] = known.tag;
  const response = await reach(address(path) + search(query), { headers, cache: "no-store" });
  if (response.status === 304) return null;
  known.tag = response.headers.get("ETag") ?? "";
  return read(response);
}

async function send(method, path, body, headers = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.headers["X-CSRF-Token"] = _here.token;
    options.body = JSON.stringify(body);
  }
  return read(await reach(address(path), options));
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused(0, { message: "The server cannot be reached. Look at your connection and try again." });
  }
  if (response.status === 401) signedOut();
  return response;
}

async function read(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  const answer = response.status !== 204 && kind.includes("json") ? await response.json() : {};
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

function search(query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
