// The conversation of a ticket: loads it in pages, keeps it current, opens what is new.

import { get, getIfChanged } from "./api.js";
import { empty, h } from "./element.js";
import { Message } from "./message.js";
import { announce, complain } from "./notice.js";
import { place } from "./place.js";
import { poll } from "./poll.js";
import { isWaiting } from "./standing.js";

const _PAGE = 50;
const _WATCHED = 30; // how many of the newest messages are asked for again and again
const _MOST = 200; // that the server gives at once
const _TRIES = 10;
const _PAUSE = 300;
const _OPENED = 12; // unread messages that are opened at once, from the newest on

export class Feed {
  /** `act(action, item)` does what a message offers; `reading` is told what comes into view. */
  constructor(place, { act, onkey, reading, narrowed }) {
    this.place = place;
    this.options = { act, onkey, narrowed };
    this.reading = reading;
    this.query = { limetype: place.dataset.limetype, id: place.dataset.id };
    this.messages = new Map();
    this.total = 0;
    this.known = {};
    this.list = h("div", { class: "feed", role: "feed", "aria-label": "Messages", "aria-busy": "true" });
    this.place.addEventListener("message-toggle", (event) => event.detail && this.reading.look(event.target));
  }

  /** Load the newest page and begin to watch. */
  async start() {
    this.place.replaceChildren(...[1, 2, 3].map(() => h("div", { class: "skeleton" })));
    try {
      const page = await getIfChanged("feed/", { ...this.query, limit: _PAGE }, {});
      this.place.replaceChildren(this.list);
      this.show(page);
      this.openWhatMatters();
    } catch (error) {
      const again = h("button", { type: "button", class: "plain", onclick: () => this.start() }, "Try again");
      this.place.replaceChildren(empty("warning", "The messages could not be loaded", error.message, again));
      return;
    }
    this.poll = poll(() => this.look());
  }

  /** Ask for news at once, after something was done: of all messages that are on the page. */
  refresh() {
    this.known = {};
    this.whole = true;
    return this.poll?.now();
  }

  /** Tell the messages whether they are of several conversations. */
  narrow(narrowed) {
    if (narrowed === this.options.narrowed) return;
    this.options.narrowed = narrowed;
    for (const each of this.messages.values()) each.narrow(narrowed);
  }

  /** All messages on the page, the oldest first. */
  get ordered() {
    return [...this.messages.values()].sort((one, other) => compare(one.item, other.item));
  }

  async look() {
    const page = this.whole ? await this.loaded() : await getIfChanged("feed/", { ...this.query, limit: _WATCHED }, this.known);
    if (page === null) return this.ordered.some((each) => isWaiting(each.item)) ? "soon" : false;
    const arrived = this.merge(page);
    for (const each of arrived) {
      each.toggle(true);
      each.element.classList.add("arrived");
    }
    if (arrived.length) this.tellOf(arrived);
    return true;
  }

  /** Everything anew that is on the page, however far it goes back. */
  async loaded() {
    this.whole = false;
    const wanted = Math.max(this.messages.size, _WATCHED);
    const items = [];
    let total = 0;
    try {
      do {
        const limit = Math.min(wanted - items.length, _MOST);
        const page = await get("feed/", { ...this.query, limit, offset: items.length });
        items.push(...page.items);
        total = page.total;
        if (!page.items.length) break;
      } while (items.length < Math.min(wanted, total));
    } catch (error) {
      this.whole = true;
      throw error;
    }
    return { items, total };
  }

  tellOf(arrived) {
    const names = [...new Set(arrived.map((each) => each.item.author.name || "somebody"))].join(", ");
    announce(arrived.length === 1 ? `New message from ${names}` : `${arrived.length} new messages from ${names}`);
    this.place.dispatchEvent(new CustomEvent("feed-arrived", { bubbles: true, detail: arrived.map((each) => each.item) }));
  }

  show(page) {
    this.merge(page);
    this.list.setAttribute("aria-busy", "false");
  }

  /** Bring the page in line with the newest messages; gives those that are new on it. */
  merge(page) {
    const before = new Set(this.messages.keys());
    const places = this.places;
    this.total = page.total;
    for (const item of page.items) this.put(item);
    this.forget(page);
    this.arrange();
    if (this.poll && places !== this.places) this.place.dispatchEvent(new CustomEvent("feed-moved", { bubbles: true }));
    return this.ordered.filter((each) => this.poll && !before.has(each.item.id));
  }

  /** Which messages there are, and in which conversations. */
  get places() {
    return [...this.messages.values()].map(({ item }) => `${item.id} ${item.conversation}`).sort().join();
  }

  put(item) {
    const known = this.messages.get(item.id);
    if (known) known.update(item);
    else this.messages.set(item.id, new Message(item, this.options));
  }

  /** Take off what went somewhere else: it lies in the time of the page but not on it. */
  forget({ items, total }) {
    const oldest = items.at(-1);
    const there = new Set(items.map((each) => each.id));
    for (const [id, { item, element }] of this.messages) {
      const within = items.length === total || (oldest && compare(item, oldest) > 0);
      if (!within || there.has(id)) continue;
      element.remove();
      this.messages.delete(id);
    }
  }

  arrange() {
    const ordered = this.ordered;
    this.firstUnread ??= ordered.find((each) => each.item.unread)?.item.id ?? null;
    const wanted = [];
    if (this.total > ordered.length) wanted.push(this.earlierButton());
    for (const [at, each] of ordered.entries()) {
      each.element.setAttribute("aria-posinset", this.total - ordered.length + at + 1);
      each.element.setAttribute("aria-setsize", this.total);
      if (each.item.id === this.firstUnread && at > 0) wanted.push((this.divider ??= h("div", { class: "divider new", role: "separator" }, "New")));
      wanted.push(each.element);
    }
    if (!wanted.length) wanted.push((this.nothing ??= empty("mail", "No message yet", "What you write below, and what comes back, will be here.")));
    // A feed without an article is none.
    if (ordered.length) this.list.setAttribute("role", "feed");
    else this.list.removeAttribute("role");
    place(this.list, wanted);
    this.place.dispatchEvent(new CustomEvent("feed-changed", { bubbles: true }));
  }

  earlierButton() {
    this.earlier ??= h("button", { type: "button", class: "plain small feed-more", onclick: () => this.loadEarlier() });
    const left = this.total - this.messages.size;
    this.earlier.textContent = `Show earlier messages (${left})`;
    return this.earlier;
  }

  async loadEarlier() {
    this.earlier.disabled = true;
    this.list.setAttribute("aria-busy", "true");
    const first = this.ordered[0];
    const top = first.element.getBoundingClientRect().top;
    try {
      const page = await get("feed/", { ...this.query, limit: _PAGE, offset: this.messages.size });
      this.total = page.total;
      page.items.forEach((each) => this.put(each));
      this.arrange();
      scrollBy(0, first.element.getBoundingClientRect().top - top); // what was read stays in place
      announce(`${page.items.length} earlier messages`);
      const at = this.ordered.indexOf(first);
      this.ordered[at - 1]?.element.querySelector(".message-top").focus({ preventScroll: true });
    } catch (error) {
      complain(error);
    } finally {
      this.earlier.disabled = false;
      this.list.setAttribute("aria-busy", "false");
    }
  }

  /** Lead to a message, as soon as it is there. */
  async goTo(id) {
    for (let tries = 0; tries < _TRIES && !this.messages.has(id); tries += 1) {
      await this.refresh();
      await new Promise((resolve) => setTimeout(resolve, _PAUSE));
    }
    const found = this.messages.get(id);
    if (!found) return;
    found.toggle(true);
    found.element.scrollIntoView({ block: "start" });
    found.element.querySelector(".message-top").focus({ preventScroll: true });
  }

  openWhatMatters() {
    const ordered = this.ordered;
    const wanted = ordered.filter((each) => each.item.unread || each.item.hasError).slice(-_OPENED);
    const last = ordered.findLast((each) => each.item.icon !== "automatic") ?? ordered.at(-1);
    for (const each of new Set([...wanted, last].filter(Boolean))) each.toggle(true);
    const named = this.messages.get(Number(location.hash.replace("#message-", "")));
    named?.toggle(true);
    const start = named?.element ?? this.divider ?? (ordered.length > 8 ? last?.element : null);
    if (start && (named || !location.hash)) start.scrollIntoView({ block: named ? "start" : "nearest" });
  }
}

function compare(one, other) {
  const times = Date.parse(one.timestamp) - Date.parse(other.timestamp);
  return times || one.id - other.id;
}
