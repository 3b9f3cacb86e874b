// The composer below a conversation: where it writes to, and what it gets back.

import { get, put } from "./api.js";
import { Hand, bringAlong, draftOf } from "./beginning.js";
import { component } from "./components.js";
import { settled } from "./http.js";

const _TAG = "lwc-email-composer";
const _PAUSE = 150;
const _TRIES = 40;

/**
 * Put the composer into its place; gives null, and the plain form, if there is none. `sent` is called
 * with each message, `begun` with the conversation that the first one has begun, `look` with the
 * message that the author wants to read first.
 */
export async function composer(place, { sent, begun, look }) {
  const { limetype, id, conversation } = place.dataset;
  const here = { limetype, id: Number(id) };
  let answered = Number(conversation) || undefined;
  let following = false;
  let hand = null;
  let newest = 0;
  let element = await make(location.hash !== "#write");
  if (!element) {
    // The server wrote the form for browsers without scripts.
    place.innerHTML = place.querySelector("noscript")?.textContent ?? place.innerHTML;
    return null;
  }
  place.replaceChildren(element);
  if (location.hash === "#write") open();

  async function make(collapsed) {
    const made = await component(_TAG, { context: here, conversation: answered, mode: answered ? "reply" : "new", collapsed, seen: newest });
    if (!made) return null;
    made.addEventListener("look", ({ detail }) => look(detail));
    hand = new Hand(made);
    made.addEventListener("sent", ({ detail }) => {
      sent(detail);
      if (!answered) follow(detail.conversation);
    });
    return made;
  }

  /** The first message was sent: what is written now goes on in the conversation that it began. */
  async function follow(conversation) {
    following = true;
    begun(conversation);
    hand.rest();
    await hand.idle();
    // What could not be taken along is a draft still, and the composer stays as it is.
    if (!answered) await goOnIn(conversation).catch(() => {});
    following = false;
  }

  /** A conversation was begun by somebody else; nobody who writes another mail is taken along. */
  async function offer(conversation) {
    const asked = new URLSearchParams(location.search).get("conversation") === "new";
    const free = () => !(answered || following || asked || hand.isBusy);
    if (free() && !(await draftOf(here)) && free()) await goOnIn(conversation);
  }

  async function goOnIn(conversation) {
    const { collapsed } = element;
    const { wrote } = hand;
    const writing = document.activeElement === element;
    if (writing) rest();
    element.remove();
    try {
      await settled();
      const left = await draftOf(here);
      if (!left || (await bringAlong(left, conversation))) answer(conversation);
    } finally {
      element = await make(collapsed);
      place.replaceChildren(element);
      if (writing && wrote) await open();
    }
  }

  function answer(conversation) {
    answered = conversation;
    place.dataset.conversation = conversation;
  }

  // Until the editor is there: what is typed meanwhile is none of the page's keys.
  function rest() {
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  }

  async function open() {
    rest();
    await element.componentOnReady?.();
    for (let tries = 0; tries < _TRIES && document.activeElement === place; tries += 1) {
      await element.write();
      await new Promise((resolve) => setTimeout(resolve, _PAUSE));
    }
    place.scrollIntoView({ block: "nearest" });
  }

  /** Begin anew with what is stored; what is being written is stored first. */
  async function again() {
    const { collapsed } = element;
    element.remove();
    await settled();
    element = await make(collapsed);
    place.replaceChildren(element);
  }

  /** The author has read messages: nobody is held up by them. */
  function seen(messages) {
    newest = Math.max(newest, ...messages);
    element.seen = newest;
  }

  /** Answer in a conversation. */
  async function reply(to) {
    if (to !== answered) {
      answer(to);
      Object.assign(element, { conversation: to, mode: "reply" });
    }
    await open();
  }

  /** Go on writing a message that was taken back: it becomes the draft of its conversation. */
  async function writeOn({ conversation: to, subject, html, documents }) {
    element.remove();
    await settled();
    const draft = await get("draft/", { conversation: to });
    const { html: begun, files, ...rest } = draft.content;
    const content = {
      ...rest,
      subject,
      html: withoutSignature(html) + begun,
      files: [...new Set([...documents, ...files])],
    };
    await put("draft/", { conversation: to, version: draft.version, newest_message: null, content });
    answer(to);
    element = await make(false);
    place.replaceChildren(element);
    await open();
  }

  return { again, offer, open, reply, writeOn, seen };
}

// It is put below the text again when that is sent. A parser would complain of its styles.
function withoutSignature(html) {
  const start = html.indexOf('<div class="limepkg-email-signature">');
  if (start < 0) return html;
  let depth = 0;
  for (const found of html.slice(start).matchAll(/<(\/?)div\b[^>]*>/gi)) {
    depth += found[1] ? -1 : 1;
    if (depth === 0) return html.slice(0, start) + html.slice(start + found.index + found[0].length);
  }
  return html;
}
