// What is written for a new conversation after its first message was sent belongs into it.

import { get, put, remove } from "./api.js";

const _PAUSE = 1_200;
const _LOOK = 300;

/** Notes when somebody writes in the composer. */
export class Hand {
  constructor(element) {
    this.element = element;
    this.pressed = 0;
    this.wrote = false;
    for (const each of ["keydown", "pointerdown"]) element.addEventListener(each, () => (this.pressed = Date.now()));
    element.addEventListener("input", () => Object.assign(this, { pressed: Date.now(), wrote: true }));
  }

  /** Forget what was written before: it is sent. */
  rest() {
    this.wrote = false;
  }

  get isBusy() {
    return Date.now() - this.pressed < _PAUSE;
  }

  /** Wait until nobody types and the last message can be taken back no more, or is not thought of. */
  async idle() {
    const undo = () => this.element.shadowRoot?.querySelector("[data-action=undo]");
    do await new Promise((resolve) => setTimeout(resolve, _LOOK));
    while (this.element.isConnected && (this.isBusy || (undo() && !this.wrote)));
  }
}

/** Give the draft of a new conversation on this object, or null if there is none. */
export async function draftOf({ limetype, id }) {
  const found = await get("draft/", { conversation: 0 });
  const { parent } = found.content;
  return found.version && parent?.limetype === limetype && parent.id === id ? found : null;
}

/** Make the draft one of the conversation; false if it has files, which cannot go along. */
export async function bringAlong({ content, uploads }, conversation) {
  if (uploads?.length) return false;
  const [there, opening] = await Promise.all([get("draft/", { conversation }), get("composer/", { conversation })]);
  const html = content.html + there.content.html;
  const subject = content.subject || there.content.subject || `Re: ${opening.subject}`;
  const moved = { ...content, html, subject, parent: null, followers: null };
  await put("draft/", { conversation, version: there.version, newest_message: null, content: moved });
  await remove("draft/?conversation=0").catch(() => {}); // it would only be proposed once more
  return true;
}
