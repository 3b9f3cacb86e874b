// Messages become read when they were open before somebody's eyes for a moment.

import { post } from "./api.js";

const _MOMENT = 1_200;

/** Watches opened messages; `done(ids)` is called when the server knows that they are read. */
export class Reading {
  constructor(done) {
    this.done = done;
    this.kept = new Set(); // what somebody marked as unread stays so until the page is left
    this.seen = new Map();
    this.observer = new IntersectionObserver((entries) => entries.forEach((each) => this.note(each)), { threshold: [0, 0.25, 0.6] });
  }

  /** Begin to watch a message that was opened. */
  look(element) {
    this.observer.observe(element);
  }

  /** Leave a message unread. */
  keep(id) {
    this.kept.add(id);
  }

  note({ target, isIntersecting, intersectionRatio, intersectionRect }) {
    const id = Number(target.dataset.message);
    const looked = isIntersecting && (intersectionRatio > 0.5 || intersectionRect.height > innerHeight / 3);
    if (!looked || !target.matches(".unread.open") || this.kept.has(id)) {
      this.seen.delete(id);
      return;
    }
    if (!this.seen.has(id)) this.seen.set(id, target);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), _MOMENT);
  }

  async send() {
    if (document.hidden) {
      this.timer = setTimeout(() => this.send(), _MOMENT);
      return;
    }
    const groups = new Map();
    for (const [id, element] of this.seen) {
      if (!element.matches(".unread.open")) continue;
      const conversation = Number(element.dataset.conversation);
      groups.set(conversation, [...(groups.get(conversation) ?? []), id]);
    }
    this.seen.clear();
    for (const [conversation, messages] of groups) {
      try {
        await post("read/", { conversation, messages, read: true });
        this.done(messages);
      } catch {
        // They stay unread, which is the safe side; the next look tries again.
      }
    }
  }
}
