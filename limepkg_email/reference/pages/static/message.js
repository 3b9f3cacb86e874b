// One message of the feed: its line, and what it shows when it is open.

import { h, icon } from "./element.js";
import { mailFrame } from "./frame.js";
import { menu } from "./menu.js";
import { avatar } from "./person.js";
import { moment } from "./time.js";

const _QUIET_STATES = new Set(["", "received"]);
const _WAITING = new Set(["queued", "scheduled", "submitted", "sending"]);
const _SOON = 90_000;
const _BAD = new Set(["failed", "bounced"]);
const _ICONS = new Set(["reply", "forward", "resend", "read", "unread", "move", "trace", "split", "clock", "trash", "close", "pen"]);
const _DIRECTIONS = { email: "incoming", reply: "outgoing" };

/** Tell whether something is still to happen to the message. */
export const isWaiting = (item) => item.recipients.some((each) => _WAITING.has(each.state));

/** A message on the page; `act(action, item)` is called for what is done with it. */
export class Message {
  constructor(item, { act, onkey, narrowed }) {
    this.act = act;
    this.onkey = onkey;
    this.narrowed = narrowed;
    this.open = false;
    this.element = h("article", { class: "message", tabindex: "-1", id: `message-${item.id}` });
    this.element.dataset.message = item.id;
    this.element.dataset.conversation = item.conversation;
    this.update(item);
  }

  /** Show what is known now; the mail itself stays as it is. */
  update(item) {
    const text = JSON.stringify(item);
    if (text === this.text) return false;
    this.text = text;
    this.item = item;
    this.draw();
    return true;
  }

  /** Open or close it. */
  toggle(open = !this.open) {
    if (open === this.open) return;
    this.open = open;
    if (open && !this.view && this.item.bodyUrl) this.view = mailFrame(this.item, this.onkey);
    this.draw();
    this.element.dispatchEvent(new CustomEvent("message-toggle", { bubbles: true, detail: open }));
  }

  draw() {
    const { item, element } = this;
    const kind = _DIRECTIONS[item.icon] ?? "automatic";
    const hadFocus = element.contains(document.activeElement) && document.activeElement !== element
      ? document.activeElement.className : "";
    element.className = ["message", kind, item.unread && "unread", item.hasError && "failed", this.open && "open"].filter(Boolean).join(" ");
    const top = this.top();
    if (!this.open) {
      element.replaceChildren(top);
    } else {
      const frame = this.view?.frame;
      // A frame that is taken out of the page would load again.
      const inside = this.inside ?? h("div", { class: "message-inside", id: `inside-${item.id}` });
      if (frame && frame.parentNode !== inside) inside.replaceChildren(frame, this.view.tools);
      for (const each of [...inside.children]) if (each !== frame && each !== this.view?.tools) each.remove();
      inside.prepend(...this.above());
      inside.append(...this.below());
      this.inside = inside;
      element.querySelector(":scope > .message-top")?.remove();
      if (inside.parentNode === element) element.prepend(top);
      else element.replaceChildren(top, inside);
    }
    if (hadFocus.includes("message-top")) top.focus({ preventScroll: true });
  }

  top() {
    const { item } = this;
    const names = h(
      "span",
      { class: "message-names" },
      h("span", { class: "message-who", id: `who-${item.id}` }, item.author.name || "Somebody"),
      h("span", { class: "message-glimpse" }, this.open ? item.heading : item.value),
    );
    this.element.setAttribute("aria-labelledby", `who-${item.id} when-${item.id}`);
    const time = moment(item.timestamp);
    time.className = "when";
    time.id = `when-${item.id}`;
    return h(
      "button",
      { type: "button", class: "message-top", "aria-expanded": String(this.open), "aria-controls": this.open ? `inside-${item.id}` : null, onclick: () => this.toggle() },
      item.unread && h("span", { class: "dot", role: "img", "aria-label": "Unread" }),
      avatar(item.author.name || "?"),
      names,
      h("span", { class: "message-flags" }, this.flags(), time),
    );
  }

  flags() {
    const { item } = this;
    const flags = [];
    if (item.thumbnails.length && !this.open) flags.push(h("span", { title: "Has files" }, icon("clip"), h("span", { class: "hidden" }, "Has files")));
    const states = item.recipients.map((each) => each.state);
    if (states.some((each) => _BAD.has(each))) flags.push(badge("failed", "Not delivered"));
    else if (item.hasError) flags.push(badge("failed", "Problem"));
    else if (states.includes("scheduled")) flags.push(badge("scheduled", "Scheduled"));
    else if (states.some((each) => _WAITING.has(each))) flags.push(badge("queued", "Sending"));
    if (item.icon === "automatic") flags.push(badge("automatic", "Automatic"));
    return flags;
  }

  above() {
    const [relation] = this.item.relations;
    if (!relation || this.narrowed !== "several") return [];
    return [h("p", { class: "in-conversation" }, "In “", h("a", { href: `?conversation=${this.item.conversation}` }, relation.text), "”")];
  }

  below() {
    const { item } = this;
    const shown = [];
    if (!item.bodyUrl) shown.push(h("div", { class: "plain-text" }, item.value));
    if (item.thumbnails.length) shown.push(files(item.thumbnails));
    const told = item.recipients.filter((each) => !_QUIET_STATES.has(each.state));
    if (told.length) shown.push(h("ul", { class: "recipients", "aria-label": "Recipients" }, told.map(recipient)));
    // The recipients' reasons stand beside them already.
    const left = item.helperText.split("\n").filter((line) => line && !told.some((each) => each.reason && line.includes(each.reason)));
    if (left.length) {
      shown.push(h("p", { class: item.hasError ? "fault" : "note" }, icon(item.hasError ? "warning" : "clock"), left.map((line, at) => [at ? "\n" : null, inOwnTime(line)])));
    }
    shown.push(this.actions());
    return shown;
  }

  actions() {
    const { item } = this;
    const promoted = item.promotedActions.filter((each) => !each.separator).map((each, at) =>
      h("button", { type: "button", class: `small ${at ? "plain" : ""} ${at === 0 && each.id === "reply" ? "plain" : ""}`.trim(), "data-action": each.id, onclick: () => this.act(each.id, item) }, icon(symbol(each)), each.text));
    const entries = item.unpromotedActions.map((each) =>
      each.separator ? null : { text: each.text, icon: symbol(each), run: () => this.act(each.id, item) });
    const offered = item.unpromotedActions.map((each) => each.id);
    const at = offered.indexOf("move");
    if (at >= 0 && !offered.includes("split")) {
      entries.splice(at + 1, 0, { text: "Make a ticket of its own", icon: "split", run: () => this.act("split", item) });
    }
    return h("div", { class: "message-actions" }, promoted, entries.length ? menu("More actions", entries) : null);
  }
}

function symbol(action) {
  const other = { cancel: "close", edit: "pen" }[action.icon || action.id];
  if (other) return other;
  return _ICONS.has(action.icon) ? action.icon : _ICONS.has(action.id) ? action.id : "right";
}

function badge(kind, text) {
  return h("span", { class: `badge badge-${kind}` }, text);
}

function files(thumbnails) {
  return h(
    "ul",
    { class: "files", "aria-label": "Files" },
    thumbnails.map((each) =>
      h("li", {}, h("a", { href: each.href }, each.image ? h("img", { src: each.image, alt: "", loading: "lazy" }) : icon("clip"), h("span", { class: "file-name" }, each.filename || "file")))),
  );
}

// When a message leaves, as the package says it, in the reader's own time.
function inOwnTime(line) {
  const [whole, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/.exec(line) ?? [];
  if (!whole) return line;
  const iso = `${day}T${time}Z`;
  if (new Date(iso) - Date.now() < _SOON) return "To be sent in a moment.";
  const [before, after] = line.split(whole);
  return [before, moment(iso), after];
}

function recipient(each) {
  // When it leaves stands below the message, once for everybody.
  const reason = _WAITING.has(each.state) && each.reason.startsWith("To be sent") ? "" : each.reason;
  return h(
    "li",
    { class: _BAD.has(each.state) ? "bad" : null },
    h("span", { title: each.email }, each.name || each.email),
    badge(each.state, each.state),
    reason ? h("span", { class: _BAD.has(each.state) ? "reason" : "quiet" }, reason) : null,
  );
}
