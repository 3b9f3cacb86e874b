// Short sentences at the lower edge: what was done, what failed, and a way back.

import { h, icon } from "./element.js";

const _SECONDS = 6;

/** Say that something was done; `action` offers one more step. */
export function tell(text, action) {
  return show(text, false, action);
}

/** Say why something was not done; it stays until it is closed. */
export function complain(error, action) {
  if (error.status === 401) return null; // the page says so already, see session.js
  const text = [error.message, ...(error.sentences ?? [])].filter((each, at, all) => all.indexOf(each) === at).join(" ");
  return show(text, true, action);
}

/** Read a sentence to those who cannot see the page. */
export function announce(text) {
  const region = document.getElementById("announcer") ?? h("div", { id: "announcer", class: "hidden", role: "status" });
  if (!region.isConnected) document.body.append(region);
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

function show(text, bad, action) {
  const shown = h("div", { class: bad ? "notice bad" : "notice", role: bad ? "alert" : "status" }, h("span", {}, text));
  if (action) shown.append(h("button", { type: "button", class: "act", onclick: () => { shown.remove(); action.run(); } }, action.text));
  shown.append(h("button", { type: "button", "aria-label": "Close", onclick: () => shown.remove() }, icon("close")));
  const place = document.getElementById("notices");
  place.append(shown);
  while (place.children.length > 3) place.firstElementChild.remove();
  // Shown once more, it lies above a dialog that was opened since.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  if (!bad) setTimeout(() => shown.remove(), (action ? 2 : 1) * _SECONDS * 1000);
  return shown;
}
