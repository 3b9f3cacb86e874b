// Keys on the ticket's page, where nobody is typing.

import { show } from "./dialog.js";
import { h } from "./element.js";

const _LIST = [
  [["j", "↓"], "Next message"],
  [["k", "↑"], "Previous message"],
  [["Enter"], "Open or close the message"],
  [["r"], "Reply"],
  [["f"], "Forward"],
  [["u"], "Mark as unread"],
  [["o"], "Open or close all messages"],
  [["Ctrl+Enter"], "Send what you are writing"],
  [["?"], "This list"],
];
const _TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=menu], dialog, .composer";

/** Show the list of keys. */
export function showShortcuts() {
  const rows = _LIST.map(([keys, text]) => [h("div", {}, keys.map((each, at) => [at ? " " : "", h("kbd", {}, each)])), h("div", {}, text)]);
  show("Keyboard shortcuts", h("div", { class: "keys" }, rows));
}

/** Make the function that listens to keys of the page and of the mails' frames; `write` begins a mail. */
export function shortcuts(feed, act, write) {
  const current = () => {
    const focused = document.activeElement?.closest?.("[data-message]");
    return feed.ordered.find((each) => each.element === focused);
  };

  function step(by) {
    const all = feed.ordered;
    const at = all.indexOf(current());
    const to = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    to?.element.focus({ preventScroll: true });
    to?.element.scrollIntoView({ block: "nearest" });
  }

  function all() {
    const open = feed.ordered.some((each) => !each.open);
    for (const each of feed.ordered) each.toggle(open);
  }

  const chosen = () => current() ?? feed.ordered.at(-1);
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: all,
    r: () => (chosen() ? act("reply", chosen().item) : write()),
    f: () => chosen() && act("forward", chosen().item),
    u: () => chosen() && act("mark-unread", chosen().item),
    "?": showShortcuts,
  };

  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target;
    if (target?.closest?.(_TYPING) || document.querySelector("dialog[open]")) return;
    const onMessage = target?.matches?.("[data-message]");
    if (onMessage && event.key === "ArrowDown") step(1);
    else if (onMessage && event.key === "ArrowUp") step(-1);
    else if (onMessage && event.key === "Enter") current()?.toggle();
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  };
}
