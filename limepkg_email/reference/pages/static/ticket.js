// The ticket's page: puts feed, people, keys and the form for an answer together.

import { actions, chooseConversation } from "./actions.js";
import { post } from "./api.js";
import { composer as mountComposer } from "./composer.js";
import { Drawn } from "./drawn.js";
import { Feed } from "./feed.js";
import { Followers } from "./followers.js";
import { keepForm } from "./kept_form.js";
import { complain, tell } from "./notice.js";
import { announceChange, whenChanged } from "./platform.js";
import { Reading } from "./reading.js";
import { shortcuts, showShortcuts } from "./shortcuts.js";

const place = document.querySelector("[data-feed]");
const composer = document.querySelector("[data-component=lwc-email-composer]");
const several = document.querySelectorAll(".tabs a").length > 0;
const narrowed = place?.dataset.limetype === "conversation" ? "one" : several ? "several" : "one";

/** What the actions may ask of the page; the composer hears of it as events. */
const page = {
  async reply(item) {
    const writer = await writing;
    if (writer) return writer.reply(item.conversation);
    const here = Number(composer?.dataset.conversation);
    if (composer && here !== item.conversation) {
      location.assign(`${place.dataset.page}?conversation=${item.conversation}#write`);
      return;
    }
    if (!composer || !composer.dispatchEvent(event("email-reply", item))) return;
    composer.scrollIntoView({ block: "nearest" });
    composer.querySelector("textarea")?.focus();
  },
  async writeOn(taken) {
    const writer = await writing;
    if (writer) return writer.writeOn(taken);
    if (!composer?.dispatchEvent(event("email-taken-back", taken))) return;
    const text = composer.querySelector("textarea");
    composer.scrollIntoView({ block: "nearest" });
    text?.focus();
    if (text && !text.value.trim()) text.value = new DOMParser().parseFromString(taken.html, "text/html").body.innerText;
  },
  keepUnread: (id) => reading.keep(id),
  refresh: () => {
    drawn.refresh();
    return feed.refresh();
  },
  other: (name, item) => document.dispatchEvent(event("email-action", { name, item })),
};

function event(name, detail) {
  return new CustomEvent(name, { detail, bubbles: true, cancelable: true });
}

const reading = new Reading(async (messages) => {
  announceChange();
  feed.refresh();
  (await writing)?.seen(messages);
});
const act = actions(page);
const feed = place && new Feed(place, { act, onkey: (pressed) => keys(pressed), reading, narrowed });
const keys = feed ? shortcuts(feed, act, async () => (await writing)?.open()) : () => {};

whenChanged(() => feed?.refresh());
document.addEventListener("signed-in", () => feed?.refresh());
place?.addEventListener("feed-arrived", async ({ detail }) => {
  announceChange();
  (await writing)?.offer(detail[0].conversation);
});
// The web component, or null where the plain form is.
const writing = composer ? mountComposer(composer, { sent: () => feed?.refresh(), begun, look: (message) => feed?.goTo(message) }) : Promise.resolve(null);
writing.then((writer) => writer ?? composer?.querySelectorAll("form.write").forEach(keepForm));

/** A mail has begun a conversation on the ticket: the page is about that one now. */
function begun(conversation) {
  if (new URLSearchParams(location.search).get("conversation") !== "new") return;
  history.replaceState(null, "", `?conversation=${conversation}`);
  drawn?.refresh();
}

if (feed) {
  document.addEventListener("keydown", keys);
  feed.start();
  const help = document.querySelector("[data-shortcuts]");
  help.hidden = false;
  help.addEventListener("click", showShortcuts);
}

const followers = new Followers(async () => {
  drawn.refresh();
  (await writing)?.again();
});
const drawn = place && new Drawn(place, followers, (conversations) => {
  if (place.dataset.limetype !== "conversation") feed.narrow(conversations > 1 ? "several" : "one");
});
place?.addEventListener("feed-moved", () => drawn.refresh());

const allRead = document.querySelector("[data-all-read]");
place?.addEventListener("feed-changed", () => {
  if (allRead) allRead.hidden = !feed.ordered.some((each) => each.item.unread);
});
allRead?.form.addEventListener("submit", async (sent) => {
  sent.preventDefault();
  const conversations = new Set(feed.ordered.filter((each) => each.item.unread).map((each) => each.item.conversation));
  try {
    for (const conversation of conversations) await post("read/", { conversation, read: true });
    tell("Everything is marked as read.");
  } catch (error) {
    complain(error);
  }
  feed.refresh();
});

document.querySelectorAll("[data-merge]").forEach((each) => (each.hidden = false));
document.addEventListener("click", async ({ target }) => {
  const merge = target.closest("[data-merge]");
  if (!merge) return;
  const into = Number(merge.dataset.merge);
  const merged = await chooseConversation({
    title: "Merge another conversation into this one",
    action: "Merge",
    danger: true,
    hint: "Its messages, followers and later mail come here, and it is deleted. What it hung on stays.",
    without: into,
    submit: (conversation) => post(`conversation/${into}/merge/`, { conversation }),
  });
  if (merged) location.reload();
});
