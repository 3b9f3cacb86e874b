// Whether somebody is signed in. That nobody is any more is said once, until somebody is again; the
// page itself stays, because what is written on it would be lost.

import { h } from "./element.js";

const _PAUSE = 5_000;
const _here = document.body.dataset;

let _notice = null;
let _timer = 0;

/** A request was refused because nobody is signed in. */
export function signedOut() {
  if (_notice) return;
  const link = h("a", { href: `/${_here.application}/sign-in`, target: "_blank" }, "sign in in another tab");
  _notice = h("div", { class: "signed-out", role: "alert" }, h("p", {}, "You are signed out: ", link, " to go on. What you write here stays."));
  document.querySelector("main").before(_notice);
  _timer = setTimeout(lookAgain, _PAUSE);
}

/**
 * Ask whether somebody is signed in, and renew the token of the page's forms, which changes with
 * the sign-in. Throws if the server does not answer.
 */
export async function isSignedIn() {
  // A small page: it leads to the sign-in unless there is somebody.
  const response = await fetch(`/${_here.application}/tickets/new`, { redirect: "manual", cache: "no-store" });
  if (response.type === "opaqueredirect") {
    signedOut();
    return false;
  }
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  renew(new DOMParser().parseFromString(await response.text(), "text/html").body.dataset.token);
  return true;
}

function renew(token) {
  _here.token = token;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  if (!_notice) return;
  clearTimeout(_timer);
  _notice.remove();
  _notice = null;
  document.dispatchEvent(new Event("signed-in"));
}

async function lookAgain() {
  clearTimeout(_timer);
  if (!_notice) return;
  if (!document.hidden) await isSignedIn().catch(() => false);
  if (_notice) _timer = setTimeout(lookAgain, _PAUSE);
}

// Whoever comes back from the other tab is not kept waiting.
addEventListener("focus", lookAgain);
document.addEventListener("visibilitychange", lookAgain);
