// Mails that are tried again: what became of them, as soon as it is known.

import { get } from "../api.js";

const _PAUSE = 500;
const _LONGEST_PAUSE = 3_000;
const _PATIENCE = 60_000;
const _AT_ONCE = 5;

/** What a mail is that has come into the CRM. */
export const ARRIVED = new Set(["imported", "second_sighting"]);

/** Give the receipts of mails as they are now; those that cannot be read are left out. */
export async function receipts(ids) {
  const found = new Map();
  for (let at = 0; at < ids.length; at += _AT_ONCE) {
    const some = await Promise.all(ids.slice(at, at + _AT_ONCE).map((id) => get(`receipt/${id}/`).catch(() => null)));
    some.forEach((each) => each && found.set(each.id, each));
  }
  return found;
}

/** Wait until each has been tried since `before`; gives the receipts, but for those that take long. */
export async function settled(ids, before) {
  const found = new Map();
  const until = Date.now() + _PATIENCE;
  for (let pause = _PAUSE; found.size < ids.length && Date.now() < until; pause = Math.min(pause * 1.4, _LONGEST_PAUSE)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    for (const [id, now] of await receipts(ids.filter((each) => !found.has(each)))) {
      if (now.disposition !== "failed" || now.attempts !== before.get(id).attempts) found.set(id, now);
    }
  }
  return [...found.values()];
}
