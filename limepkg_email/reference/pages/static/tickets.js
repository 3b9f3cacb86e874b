// The list of tickets shows what arrives without being loaded again.

import { component } from "./components.js";
import { announce } from "./notice.js";
import { announceChange } from "./platform.js";
import { poll } from "./poll.js";
import { moment } from "./time.js";

const list = document.querySelector("[data-live-list]");
let known = null;

async function look() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("[data-live-list]");
  const content = fresh?.innerHTML ?? "";
  const first = known === null;
  if (!content || content === known) return false;
  known = content;
  if (first) return false;
  for (const each of fresh.querySelectorAll("time")) each.replaceWith(moment(each.dateTime));
  const before = list.querySelectorAll("tr.unread").length;
  keepingFocus(() => list.replaceChildren(...fresh.childNodes));
  announceChange();
  indicate();
  if (list.querySelectorAll("tr.unread").length > before) announce("The list of tickets has news.");
  return true;
}

/** Let whoever is in the list stay on the same ticket, or in its place once it is gone. */
function keepingFocus(change) {
  const links = () => [...list.querySelectorAll("a[href]")];
  const at = links().indexOf(document.activeElement);
  const address = at < 0 ? null : document.activeElement.href;
  change();
  if (address === null) return;
  const now = links();
  const same = now.find((each) => each.href === address) ?? now[Math.min(at, now.length - 1)];
  same?.focus({ preventScroll: true });
}

/** Put indicators where the server drew dots; they follow what is unread by themselves. */
async function indicate() {
  for (const cell of list.querySelectorAll("[data-unread-indicator]:not(:has(lwc-unread-message-icon-indicator))")) {
    const { limetype, id } = cell.dataset;
    const value = cell.childElementCount > 0;
    const made = await component("lwc-unread-message-icon-indicator", { limetype, objectId: Number(id), value });
    if (!made) return;
    cell.replaceChildren(made);
  }
}

indicate();
poll(look, 6_000, 60_000);
