// Where a message stands: what became of its mails, and when those leave that are put off.

import { h, icon } from "./element.js";
import { moment } from "./time.js";

const isOurs = (state) => !["", "received"].includes(state);
const _WAITING = new Set(["queued", "submitted", "sending"]);
const _BAD = new Set(["failed", "bounced"]);
const _SOON = 90_000;
const _LEAVES = /(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/;

/** Tell whether something is about to happen to the message. */
export const isWaiting = (item) => item.recipients.some((each) => _WAITING.has(stateOf(each, item)));

/** Give the badges of a message's line. */
export function badges(item) {
  const states = item.recipients.map((each) => stateOf(each, item)).filter(isOurs);
  const cancelled = states.filter((each) => each === "cancelled").length;
  const found = [];
  if (states.some((each) => _BAD.has(each))) found.push(badge("failed", "Not delivered"));
  else if (item.hasError) found.push(badge("failed", "Problem"));
  else if (states.includes("scheduled")) found.push(badge("scheduled", ["Scheduled ", leaving(item)]));
  else if (states.some((each) => _WAITING.has(each))) found.push(badge("queued", "Sending"));
  if (cancelled) found.push(badge("cancelled", cancelled === states.length ? "Cancelled" : "Partly cancelled"));
  if (item.icon === "automatic") found.push(badge("automatic", "Automatic"));
  return found;
}

/** Give the list of those to whom mails went, or nothing where none did. */
export function recipients(item) {
  const told = item.recipients.filter((each) => isOurs(each.state));
  return told.length ? h("ul", { class: "recipients", "aria-label": "Recipients" }, told.map((each) => recipient(each, item))) : null;
}

/** Give what else there is to say: what went wrong, and when the mails leave that are put off. */
export function remarks(item) {
  const told = item.recipients.filter((each) => isOurs(each.state) && each.reason);
  // The recipients' reasons stand beside them already.
  const left = item.helperText.split("\n").filter((line) => line && !told.some((each) => line.includes(each.reason)));
  if (!left.length) return null;
  return h("p", { class: item.hasError ? "fault" : "note" }, icon(item.hasError ? "warning" : "clock"), left.map((line, at) => [at ? "\n" : null, inOwnTime(line)]));
}

// A mail that waits only for as long as it can be taken back is not put off.
function stateOf({ state }, item) {
  return state === "scheduled" && isSoon(instant(item.helperText)) ? "queued" : state;
}

function recipient(each, item) {
  const state = stateOf(each, item);
  // When it leaves stands below the message, once for everybody.
  const reason = each.reason.startsWith("To be sent") ? "" : each.reason;
  return h(
    "li",
    { class: _BAD.has(state) ? "bad" : null },
    h("span", { title: each.email }, each.name || each.email),
    badge(state, state),
    reason ? h("span", { class: _BAD.has(state) ? "reason" : "quiet" }, reason) : null,
  );
}

function badge(kind, text) {
  return h("span", { class: `badge badge-${kind}` }, text);
}

function leaving(item) {
  const iso = instant(item.helperText);
  return iso ? ["for ", moment(iso)] : null;
}

// When a message leaves, as the package says it, in the reader's own time.
function inOwnTime(line) {
  const iso = instant(line);
  if (!iso) return line;
  if (isSoon(iso)) return "To be sent in a moment.";
  const [before, after] = line.split(_LEAVES.exec(line)[0]);
  return [before, moment(iso), after];
}

function instant(text) {
  const [, day, time] = _LEAVES.exec(text) ?? [];
  return day ? `${day}T${time}Z` : null;
}

const isSoon = (iso) => iso !== null && new Date(iso) - Date.now() < _SOON;
