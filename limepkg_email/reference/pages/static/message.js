// One message of the feed: its line, and what it shows when it is open.

import { Doing } from "./doing.js";
import { h, icon } from "./element.js";
import { mailFrame } from "./frame.js";
import { avatar } from "./person.js";
import { badges, recipients, remarks } from "./standing.js";
import { moment } from "./time.js";

const _DIRECTIONS = { email: "incoming", reply: "outgoing" };

/** A message on the page; `act(action, item)` is called for what is done with it. */
export class Message {
  constructor(item, { act, onkey, narrowed }) {
    this.doing = new Doing((action) => act(action, this.item));
    this.onkey = onkey;
    this.narrowed = narrowed;
    this.open = false;
    this.element = h("article", { class: "message", tabindex: "-1", id: `message-${item.id}` });
    this.element.dataset.message = item.id;
    this.update(item);
  }

  /** Show what is known now; the mail itself stays as it is. */
  update(item) {
    const text = JSON.stringify(item);
    if (text === this.text) return false;
    this.text = text;
    this.item = item;
    this.element.dataset.conversation = item.conversation;
    this.draw();
    return true;
  }

  /** Tell it whether the messages beside it are of several conversations. */
  narrow(narrowed) {
    this.narrowed = narrowed;
    this.draw();
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
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    element.className = ["message", kind, item.unread && "unread", item.hasError && "failed", this.open && "open"].filter(Boolean).join(" ");
    const top = this.top();
    if (!this.open) {
      element.replaceChildren(top);
    } else {
      const frame = this.view?.frame;
      // A frame that is taken out of the page would load again; what is in use keeps its focus.
      const inside = this.inside ?? h("div", { class: "message-inside", id: `inside-${item.id}` });
      if (frame && frame.parentNode !== inside) inside.replaceChildren(frame, this.view.tools);
      const doing = this.doing.element;
      if (doing.parentNode !== inside) inside.append(doing);
      for (const each of [...inside.children]) if (![frame, this.view?.tools, doing].includes(each)) each.remove();
      inside.prepend(...this.above());
      doing.before(...this.below());
      this.doing.update(item);
      this.inside = inside;
      element.querySelector(":scope > .message-top")?.remove();
      if (inside.parentNode === element) element.prepend(top);
      else element.replaceChildren(top, inside);
    }
    this.keepFocus(focused);
  }

  // What had the focus may be drawn anew, or gone: then the message has it.
  keepFocus(before) {
    if (!before || before.isConnected) return;
    const same = before.matches(".message-top") ? ".message-top" : before.matches("a[href]") ? `a[href="${CSS.escape(before.getAttribute("href"))}"]` : null;
    const now = (same && this.element.querySelector(same)) || this.element;
    now.focus({ preventScroll: true });
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
    const clip = item.thumbnails.length && !this.open ? h("span", { title: "Has files" }, icon("clip"), h("span", { class: "hidden" }, "Has files")) : null;
    return [clip, badges(item)];
  }

  above() {
    const [relation] = this.item.relations;
    if (!relation || this.narrowed !== "several") return [];
    return [h("p", { class: "in-conversation" }, "In “", h("a", { href: `?conversation=${this.item.conversation}` }, relation.text), "”")];
  }

  below() {
    const { item } = this;
    return [
      !item.bodyUrl && h("div", { class: "plain-text" }, item.value),
      item.thumbnails.length > 0 && files(item.thumbnails),
      recipients(item),
      remarks(item),
    ].filter(Boolean);
  }
}

function files(thumbnails) {
  return h(
    "ul",
    { class: "files", "aria-label": "Files" },
    thumbnails.map((each) =>
      h("li", {}, h("a", { href: each.href }, each.image ? h("img", { src: each.image, alt: "", loading: "lazy" }) : icon("clip"), h("span", { class: "file-name" }, each.filename || "file")))),
  );
}
