// What can be done with a message: buttons and a menu, which stay in use while the message changes.

import { h, icon } from "./element.js";
import { menu } from "./menu.js";
import { place } from "./place.js";

const _ICONS = new Set(["reply", "forward", "resend", "read", "unread", "move", "trace", "split", "clock", "trash", "close", "pen"]);

export class Doing {
  /** `act(id)` does something with the message. */
  constructor(act) {
    this.act = act;
    this.element = h("div", { class: "message-actions" });
    this.menu = null;
  }

  /** Offer what the message now offers; whatever it did before stays where it is, with its focus. */
  update({ promotedActions, unpromotedActions }) {
    const offered = promotedActions.filter((each) => !each.separator);
    const buttons = offered.map((each, at) => this.button(each, at));
    place(this.element, [...buttons, this.menu].filter(Boolean));
    this.wanted = unpromotedActions;
    this.replaceMenu();
  }

  button({ id, text, icon: name }, at) {
    const known = [...this.element.children].find((each) => each.dataset.action === id && each.textContent === text);
    const made = known ?? h("button", { type: "button", "data-action": id, onclick: () => this.act(id) }, icon(symbol({ id, icon: name })), text);
    made.className = at === 0 && id !== "reply" ? "small" : "small plain";
    return made;
  }

  // A menu that somebody has opened is left alone until it is closed.
  replaceMenu() {
    const text = JSON.stringify(this.wanted);
    if (text === this.text || this.menu?.querySelector("[role=menu]:not([hidden])")) return;
    this.text = text;
    const entries = this.entries();
    const made = entries.length ? menu("More actions", entries) : null;
    made?.addEventListener("menu-close", () => this.replaceMenu());
    const hadFocus = this.menu?.contains(document.activeElement);
    this.menu?.remove();
    if (made) this.element.append(made);
    if (hadFocus) made?.querySelector("button").focus();
    this.menu = made;
  }

  entries() {
    const entry = (each) => ({ text: each.text, icon: symbol(each), run: () => this.act(each.id) });
    const entries = this.wanted.map((each) => (each.separator ? null : entry(each)));
    const offered = this.wanted.map((each) => each.id);
    const at = offered.indexOf("move");
    if (at >= 0 && !offered.includes("split")) entries.splice(at + 1, 0, entry({ id: "split", text: "Make a ticket of its own" }));
    return entries;
  }
}

function symbol({ id, icon }) {
  const other = { cancel: "close", edit: "pen" }[icon || id];
  if (other) return other;
  return _ICONS.has(icon) ? icon : _ICONS.has(id) ? id : "right";
}
